// topic_registry.h: which topic is this id, and who gets it?
//
// One registry per shard: names to slots, and for every topic the cached answer of the subscription
// index, so that a publish looks nothing up by name. A slot is reused after its topic was evicted;
// the generation tells the two apart. Topics that nobody refers to are kept, oldest evicted first,
// while there is room.
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

#include "broker/model/ids.h"
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

  /// The topic of that name, made if need be, without a reference: valid until the next intern()
  /// unless retained. `name` is checked.
  base::Result<model::TopicSlot> intern(std::string_view name);
  /// The same for a name that came from another shard; shares it. Requires: a checked name.
  base::Result<model::TopicSlot> intern(const TopicName& name);

  /// References keep a topic from eviction: open topics of connections, and queued slices.
  void retain(model::TopicSlot slot) noexcept;
  void release(model::TopicSlot slot) noexcept;

  const TopicName& name(model::TopicSlot slot) const noexcept;
  /// Changes each time the slot is given to another topic.
  std::uint32_t generation(model::TopicSlot slot) const noexcept;
  /// Who gets this topic now: cached, and made anew after the index has changed.
  /// The reference is valid until the next call that changes index or registry.
  const Match& match(model::TopicSlot slot);

  std::size_t size() const noexcept;
  std::size_t memory_bytes() const noexcept;  // estimate, for the budget and the metrics
  void check_invariants() const;

 private:
  struct Impl;  // replace by plain members when implementing
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::topic
