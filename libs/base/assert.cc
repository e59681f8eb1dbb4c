#include "libs/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace sluice::base {

void fatal(ExitCode code, std::string_view line) noexcept {
  std::fprintf(stderr, "fatal: %.*s\n", static_cast<int>(line.size()), line.data());
  std::fflush(stderr);
  std::_Exit(static_cast<int>(code));
}

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "fatal: assertion failed: %s at %s:%d\n", expression, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace sluice::base
