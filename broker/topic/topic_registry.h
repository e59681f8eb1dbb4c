// topic_registry.h: which topic is this id, and who gets it?
//
// One registry per shard: names to slots, and for every topic the cached answer of the subscription
// index, so that a publish looks nothing up by name. A slot is reused after its topic was evicted;
// the generation tells the two apart. Topics that nobody holds (model::TopicRef) are kept while
// there is room, and evicted from the one that was asked for longest ago.
//
// Owner:    the shard. Borrows the index.
// Thread:   the owner shard only; a TopicName may be shared with other threads.
// Limits:   `max_topics` topics; with every one of them held, intern() refuses clients' names;
// those
//           of other shards may exceed it as long as they are held. It looks at no more
//           than kEvictionLook of them in a call, and goes on there in the next. Cached answers
//           have at most `max_match_bytes` together, not counting the one in use.
// Errors:   kBadTopic, kTopicLimit.
// Tests:    tests/unit/broker/topic/topic_registry_test.cc

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/model/topic_ref.h"
#include "broker/topic/index_table.h"
#include "broker/topic/pool.h"
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

inline constexpr std::size_t kMaxMatchBytes = 64U << 20;
inline constexpr std::uint32_t kEvictionLook = 1024;

class TopicRegistry {
 public:
  /// `hash_seed`: any number that peers cannot know. Requires: max_topics > 0.
  TopicRegistry(SubscriptionIndex& index, std::uint32_t max_topics, std::uint64_t hash_seed = 0,
                std::size_t max_match_bytes = kMaxMatchBytes);
  TopicRegistry(const TopicRegistry&) = delete;
  TopicRegistry& operator=(const TopicRegistry&) = delete;

  /// The topic of that name, made if need be; its slot is never 0. `name` is checked here.
  base::Result<model::TopicRef> intern(std::string_view name);
  /// The same for a name that came from another shard, where it was counted; shares it. Is never
  /// refused: while every topic is held there is one too many. Requires: a checked name.
  model::TopicRef intern(const TopicName& name);

  /// The topic of that name, if it is known; empty else.
  model::TopicRef known(std::string_view name) noexcept;

  const TopicName& name(const model::TopicRef& topic) const noexcept;
  /// The topic that `slot` is given to now, if its generation is still this one; else empty.
  model::TopicRef find(model::TopicSlot slot, std::uint32_t generation) noexcept;
  /// Who gets this topic now: cached, and made anew after the index has changed.
  /// The reference is valid until the next match() or intern().
  const Match& match(const model::TopicRef& topic);

  std::size_t size() const noexcept { return by_name_.size(); }
  /// How many of them somebody holds. Looks at all: for tests.
  std::size_t held() const noexcept;
  std::size_t memory_bytes() const noexcept;  // estimate, for the budget and the metrics
  void check_invariants() const;

 private:
  // A place that holds no topic has no name. Topics are chained by when they were asked for.
  struct Topic : model::TopicNode {
    TopicName name;
    Match match;
    std::uint64_t match_version = 0;  // of the index; 0: not cached
    std::uint32_t older = kNone;
    std::uint32_t newer = kNone;
  };

  std::uint32_t find(std::string_view name, std::uint32_t hash) const noexcept;
  model::TopicRef touch(std::uint32_t position) noexcept;
  model::TopicRef make(TopicName name, std::uint32_t hash);
  bool make_room();
  bool evict_one();
  void evict(std::uint32_t position);
  void append(std::uint32_t position) noexcept;
  void unlink(std::uint32_t position) noexcept;
  void forget_match(Topic& topic) noexcept;
  void bound_matches(const Topic& keep) noexcept;
  static Topic& topic_of(const model::TopicRef& topic) noexcept;

  SubscriptionIndex& index_;
  std::uint32_t max_topics_;
  std::uint64_t seed_;
  std::size_t max_match_bytes_;
  Pool<Topic> topics_;  // position 0 is never given to a topic
  IndexTable by_name_;
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::size_t name_bytes_ = 0;
  std::size_t match_bytes_ = 0;
  std::uint32_t sweep_ = 0;  // position whose cached answer went last
};

}  // namespace sluice::topic
