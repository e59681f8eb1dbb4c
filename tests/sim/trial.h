// trial.h: one run in a process of its own, so that an assertion of the broker is a finding as
// well.
//
// Owner:    values.
// Thread:   the test's; forks.

#pragma once

#include <string>
#include <vector>

#include "tests/sim/world.h"

namespace sluice::sim {

struct Verdict {
  std::vector<Finding> findings{};  // "assertion" where the broker's own checks ended the run
  std::size_t steps = 0;            // taken until then
  std::uint64_t fingerprint = 0;
};

/// In this process: an assertion ends it.
Verdict run_here(const Plan& plan, const RunOptions& options);

/// In a process of its own, silently.
Verdict run_apart(const Plan& plan, const RunOptions& options);

/// A plan with as few steps as can be found in `attempts` runs after which `checker` still finds
/// something broken.
Plan shrink(const Plan& plan, const RunOptions& options, const std::string& checker,
            std::size_t attempts);

}  // namespace sluice::sim
