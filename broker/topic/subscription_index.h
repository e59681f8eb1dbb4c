// subscription_index.h: which subscriptions match a topic?
//
// A trie over the levels of filters, kept in flat tables: the cost of a match goes with the levels
// of the topic and the matches found, not with the number of subscriptions. It holds this shard's
// own subscriptions, and for every other shard which filters it has interest in, counted.
//
// Owner:    the shard.
// Thread:   the owner shard only.
// Units:    memory: under 100 bytes per plain filter of its own, beyond the text of new levels.
// Errors:   none; filters are checked before (libs/wire/topic_name.h).
// Tests:    tests/unit/broker/topic/subscription_index_test.cc (with filter_matches as the model),
//           tests/fuzz/fuzz_index.cc, tests/bench/micro/index_bench.cc

#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "broker/model/ids.h"

namespace sluice::topic {

struct Match;

class SubscriptionIndex {
 public:
  SubscriptionIndex();
  ~SubscriptionIndex();
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

  /// Rises with each change; what was cached under another version is out of date.
  std::uint64_t version() const noexcept;
  std::size_t size() const noexcept;  // (filter, slot) pairs of its own
  std::size_t memory_bytes() const noexcept;
  void check_invariants() const;

 private:
  struct Impl;  // replace by plain members when implementing
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::topic
