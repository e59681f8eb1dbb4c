// subscription_index.h: which subscriptions match a topic?
//
// A trie over the levels of filters, kept in flat tables: the cost of a match goes with the levels
// of the topic and the matches found, not with the number of subscriptions. It holds this shard's
// own subscriptions, and for every other shard which filters it has interest in, counted.
//
// Owner:    the shard.
// Thread:   the owner shard only.
// Units:    memory: under 100 bytes per plain filter of its own, beyond the text of new levels.
//           What removals free is kept for later filters.
// Errors:   none; filters are checked before (libs/wire/topic_name.h).
// Tests:    tests/unit/broker/topic/subscription_index_test.cc (with filter_matches as the model),
//           tests/fuzz/fuzz_index.cc, tests/bench/micro/index_bench.cc

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "broker/model/ids.h"
#include "broker/topic/level_table.h"
#include "broker/topic/pool.h"
#include "broker/topic/slot_lists.h"
#include "libs/wire/topic_name.h"

namespace sluice::topic {

struct Match;

class SubscriptionIndex {
 public:
  /// `hash_seed`: any number that peers cannot know.
  explicit SubscriptionIndex(std::uint64_t hash_seed = 0);
  SubscriptionIndex(const SubscriptionIndex&) = delete;
  SubscriptionIndex& operator=(const SubscriptionIndex&) = delete;

  /// Requires: a checked filter; the same (filter, slot) was not added before.
  void add(std::string_view filter, model::SubscriptionSlot slot);
  /// Requires: it was added.
  void remove(std::string_view filter, model::SubscriptionSlot slot);

  /// Counts one more subscription of another shard. `strict`: one that may reject a publish.
  void add_remote(std::string_view filter, model::ShardId shard, bool strict);
  /// Requires: it was added with the same `strict`.
  void remove_remote(std::string_view filter, model::ShardId shard, bool strict);

  /// Fills `out` (cleared first): slots each once and ascending, also when several filters of one
  /// subscription match. Requires: a checked topic.
  void match(std::string_view topic, Match& out) const;

  /// Rises with each change; what was cached under another version is out of date. Never 0.
  std::uint64_t version() const noexcept { return version_; }
  std::size_t size() const noexcept { return size_; }  // (filter, slot) pairs of its own
  std::size_t memory_bytes() const noexcept;
  void check_invariants() const;

 private:
  // One per distinct beginning of a filter. It exists while a filter ends in it or goes through it.
  struct Node {
    std::uint32_t parent = kNone;
    std::uint32_t level = kNone;   // number in levels_, or kStar or kTail
    std::uint32_t children = 0;    // of every kind
    std::uint32_t star = kNone;    // child for '*'
    std::uint32_t tail = kNone;    // child for '>'; it has no children
    std::uint32_t local = kNone;   // list in lists_
    std::uint32_t remote = kNone;  // first of a chain in interests_
  };

  // How many subscriptions of one other shard a filter has.
  struct Interest {
    std::uint32_t next = kNone;
    std::uint32_t count = 0;
    std::uint32_t strict_count = 0;
    model::ShardId shard;
  };

  struct Query {
    std::array<std::uint32_t, wire::kMaxTopicLevels> levels{};  // numbers, kNone where unknown
    std::size_t size = 0;
    bool reserved = false;  // its first level starts with '$'
  };

  static constexpr std::uint32_t kStar = kNone - 1;
  static constexpr std::uint32_t kTail = kNone - 2;
  static constexpr std::uint32_t kRoot = 0;

  std::uint32_t edge_hash(std::uint32_t parent, std::uint32_t level) const noexcept;
  std::uint32_t find_child(std::uint32_t parent, std::uint32_t level) const noexcept;
  std::uint32_t make_child(std::uint32_t parent, std::string_view level);
  std::uint32_t find_node(std::string_view filter) const noexcept;
  std::uint32_t make_node(std::string_view filter);
  void drop_if_unused(std::uint32_t node);
  Interest* find_interest(std::uint32_t node, model::ShardId shard) noexcept;
  void unlink_interest(std::uint32_t node, model::ShardId shard);
  void collect(std::uint32_t node, const Query& query, std::size_t depth, Match& out) const;
  void take_all(const Node& node, Match& out) const;
  void check_node(std::uint32_t node) const;

  std::uint64_t seed_;
  LevelTable levels_;
  Pool<Node> nodes_;
  IndexTable edges_;  // (parent, level) to child; '*' and '>' stand in the parent instead
  SlotLists lists_;
  Pool<Interest> interests_;
  std::uint64_t version_ = 1;
  std::size_t size_ = 0;
};

}  // namespace sluice::topic
