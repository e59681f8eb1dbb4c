// topic_registry.h: which topic is this id, and who gets it?
//
// One registry per shard: names to slots, and for every topic the cached answer of the subscription
// index, so that a publish looks nothing up by name. A slot is reused after its topic was evicted;
// the generation tells the two apart. Topics that nobody holds (model::TopicRef) are kept while
// there is room and evicted from the oldest on.
//
// Owner:    the shard. Borrows the index.
// Thread:   the owner shard only; a TopicName may be shared with other threads.
// Limits:   `max_topics` topics; with every one of them referred to, intern() refuses.
// Errors:   kBadTopic, kTopicLimit.
// Tests:    tests/unit/broker/topic/topic_registry_test.cc

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/model/topic_ref.h"
#include "broker/topic/subscription_index.h"
#include "libs/base/result.h"

namespace sluice::topic {

/// A name that may travel between shards: immutable, shared.
using TopicName = std::shared_ptr<const std::string>;

/// Who gets a topic: see SubscriptionIndex::match.
struct Match {
  std::vector<model::SubscriptionSlot> local;  // each once, ascending
  std::uint64_t remote = 0;                    // bit per shard that has interest
  std::uint64_t remote_strict = 0;             // those of them with a subscription that may reject
};

class TopicRegistry {
 public:
  TopicRegistry(SubscriptionIndex& index, std::uint32_t max_topics);
  ~TopicRegistry();
  TopicRegistry(const TopicRegistry&) = delete;
  TopicRegistry& operator=(const TopicRegistry&) = delete;

  /// The topic of that name, made if need be. `name` is checked by the callee.
  base::Result<model::TopicRef> intern(std::string_view name);
  /// The same for a name that came from another shard; shares it. Requires: a checked name.
  base::Result<model::TopicRef> intern(const TopicName& name);

  const TopicName& name(const model::TopicRef& topic) const noexcept;
  /// The topic that `slot` is given to now, if its generation is still this one; else empty.
  model::TopicRef find(model::TopicSlot slot, std::uint32_t generation) noexcept;
  /// Who gets this topic now: cached, and made anew after the index has changed.
  /// The reference is valid until the next call that changes index or registry.
  const Match& match(const model::TopicRef& topic);

  std::size_t size() const noexcept;
  std::size_t memory_bytes() const noexcept;  // estimate, for the budget and the metrics
  void check_invariants() const;

 private:
  struct Impl;  // replace by plain members when implementing
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::topic
