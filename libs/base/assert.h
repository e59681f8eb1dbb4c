// assert.h: what must be true if our own code is right.
//
// ASSERT is always on and for cheap invariants; DASSERT is for costly ones and compiled only
// where NDEBUG is not set. Neither may be reachable by anything a peer or an operator does:
// that is what Result is for. fatal() ends the process with one line and a documented exit code.
//
// Thread:   any.
// Tests:    tests/unit/libs/base/assert_test.cc

#pragma once

#include <string_view>

namespace sluice::base {

/// Exit codes of fatal(), also listed in docs/guide/running.md.
enum class ExitCode : int {
  kOk = 0,
  kFailure = 1,
  kUsage = 2,
  kConfiguration = 3,
  kCannotListen = 4,
  kDrainIncomplete = 5,
  kInternal = 70,
};

/// Prints "fatal: <line>" to standard error and ends the process at once with `code`.
[[noreturn]] void fatal(ExitCode code, std::string_view line) noexcept;

/// What a failed ASSERT calls: prints the expression and its place, then aborts.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace sluice::base

#define ASSERT(expression)                                 \
  (__builtin_expect(static_cast<bool>(expression), 1) != 0 \
       ? static_cast<void>(0)                              \
       : ::sluice::base::assertion_failed(#expression, __FILE__, __LINE__))

#ifdef NDEBUG
#define DASSERT(expression) static_cast<void>(sizeof(static_cast<bool>(expression)))
#else
#define DASSERT(expression) ASSERT(expression)
#endif
