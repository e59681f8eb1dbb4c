// planner.h: do all the bounds fit into memory together?
//
// Two sums, line by line. What is *needed* is what the broker may claim for its own work whatever
// clients do, and what serving the first client takes: a configuration where that exceeds
// node.memory_budget cannot work and is refused. The *worst case* is what clients could make the
// broker hold if all of them used their bounds at once; it may exceed the budget, and then the plan
// says so and by how much: the budget is kept in that case too, by squeezing the largest queues and
// in the end by refusing publishes (flow::MemoryBudget).
//
// Owner:    a value.
// Thread:   pure; any.
// Units:    bytes. Costs of our own objects are the constants below: estimates, on the high side.
// Limits:   sums stop at 2^64-1 instead of wrapping.
// Tests:    tests/unit/broker/config/planner_test.cc

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/config/memory_costs.h"
#include "broker/config/settings.h"

namespace sluice::config {

struct PlanLine {
  std::string what;
  std::string arithmetic;  ///< "2 shards x 256 slabs x 256KiB"
  Size bytes = 0;
};

struct Plan {
  Size budget = 0;
  std::vector<PlanLine> needed;
  std::vector<PlanLine> worst_case;  ///< beyond what is needed
  Size needed_bytes = 0;
  Size worst_case_bytes = 0;      ///< needed included
  std::uint64_t full_queues = 0;  ///< default queues that fit, full, into what is not needed

  bool fits() const noexcept { return needed_bytes <= budget; }
  /// False in most configurations: bounds are chosen for one client, not for all at once.
  bool worst_case_fits() const noexcept { return worst_case_bytes <= budget; }
  /// The sum of what is needed, line by line.
  std::string needed_text() const;
  /// Both sums and what follows from them.
  std::string text() const;
};

/// Requires: settings.node.shards is the number in force, not 0.
Plan make_plan(const Settings& settings);

}  // namespace sluice::config
