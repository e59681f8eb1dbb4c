// shard_mutants: breaks one rule of the broker after another, and each checker must see its own.
//
// A checker that finds nothing in the first seeds cannot fail, which is a failure.

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "libs/base/mutation.h"
#include "tests/sim/trial.h"

namespace sluice::base {
Mutation g_mutation = Mutation::kNone;
}  // namespace sluice::base

namespace {

using sluice::base::Mutation;
using namespace sluice::sim;

constexpr std::uint64_t kSeeds = 300;

constexpr std::array<std::pair<Mutation, const char*>, 8> kMutants = {{
    {Mutation::kLedger, "ledger"},
    {Mutation::kBounds, "bounds"},
    {Mutation::kOrder, "order"},
    {Mutation::kGaps, "gaps"},
    {Mutation::kReceipts, "receipts"},
    {Mutation::kOutcome, "outcome"},
    {Mutation::kProgress, "progress"},
    {Mutation::kRelease, "release"},
}};

// The first seed in which that checker finds something; 0: none.
std::uint64_t first_seen(const std::string& checker) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    // Without the broker's own invariants, which would end a run before a checker looks.
    const Verdict verdict = run_apart(make_plan(seed), {.check_invariants = false});
    const bool seen = std::any_of(verdict.findings.begin(), verdict.findings.end(),
                                  [&](const Finding& f) { return f.checker == checker; });
    if (seen) return seed;
  }
  return 0;
}

}  // namespace

int main() {
  int failures = 0;
  for (const auto& [mutation, checker] : kMutants) {
    sluice::base::g_mutation = Mutation::kNone;
    if (first_seen(checker) != 0) {
      std::printf("%s finds something in the broker as it is\n", checker);
      ++failures;
    }
    sluice::base::g_mutation = mutation;
    const std::uint64_t seed = first_seen(checker);
    std::printf("%s: %s %llu\n", checker, seed == 0 ? "BLIND" : "seen in seed",
                static_cast<unsigned long long>(seed));
    if (seed == 0) ++failures;
  }
  return failures == 0 ? 0 : 1;
}
