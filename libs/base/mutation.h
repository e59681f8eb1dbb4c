// mutation.h: may a test break this rule on purpose?
//
// Only tests/sim/mutants compiles sources with SLUICE_MUTATION; everywhere else `mutated()` is a
// constant and nothing of it is left.
//
// Owner:    none; one number for the process.
// Thread:   the test's.
// Tests:    tests/sim/mutants

#pragma once

#include <cstdint>

namespace sluice::base {

/// The rule that is broken, named as the checker that must see it.
enum class Mutation : std::uint8_t {
  kNone,
  kLedger,
  kBounds,
  kOrder,
  kGaps,
  kReceipts,
  kOutcome,
  kProgress,
  kRelease,
};

#ifdef SLUICE_MUTATION
extern Mutation g_mutation;  // defined by the test
inline bool mutated(Mutation mutation) noexcept { return g_mutation == mutation; }
#else
constexpr bool mutated(Mutation /*mutation*/) noexcept { return false; }
#endif

}  // namespace sluice::base
