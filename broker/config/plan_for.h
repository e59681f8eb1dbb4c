// plan_for.h: which configuration fits so many clients into so much memory?
//
// The other way round than the planner: from the memory, the subscriptions and the size of messages
// to the bounds. Every line is reckoned for the worst: all queues full at once with messages that
// came one by one. What is left then begins where squeezing would, so with this configuration
// nobody is squeezed.
//
// Owner:    a value.
// Thread:   pure; any.
// Units:    bytes, with the costs of memory_costs.h.
// Limits:   sums stop at 2^64-1; fits() is false where a bound would come below what settings.def
//           allows.
// Tests:    tests/unit/broker/config/plan_for_test.cc, tests/integration/cli/plan_test.py

#pragma once

#include <string>
#include <vector>

#include "broker/config/planner.h"

namespace sluice::config {

/// What is wanted.
struct PlanWish {
  Size memory = gib(1);
  std::uint64_t subscriptions = 1000;
  Size message = kib(1);
  std::uint64_t connections = 0;  ///< 0: one for each subscription and publisher
  std::uint64_t publishers = 10;
  std::uint64_t topics = 1000;
  std::uint64_t shards = 1;
};

struct FittedPlan {
  PlanWish wish;
  Settings settings;            ///< defaults where nothing had to change
  std::vector<PlanLine> lines;  ///< all but the queues
  Size sum = 0;                 ///< of lines
  Size left = 0;                ///< for the queues
  Size message_cost = 0;        ///< a queued message with all its bookkeeping
  Size queue_bytes_least = 0;   ///< what one queue takes at least

  bool fits() const noexcept;
  /// The arithmetic, line by line.
  std::string text() const;
  /// The settings that differ from their defaults, as they stand in broker.toml.
  std::string fragment() const;
};

/// Requires: subscriptions, message and shards are at least 1; shards at most 64.
FittedPlan plan_for(const PlanWish& wish);

}  // namespace sluice::config
