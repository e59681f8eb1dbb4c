// fuzz_queue.cc: whatever is asked of it, does the bounded queue do what the plain model does?
//
// Each byte of the input is a choice of the comparison that the unit test drives by random numbers.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/unit/broker/queue/queue_comparison.h"

namespace {

using sluice::queue::testing::QueueComparison;

void stop_if_different(const std::string& difference) {
  if (difference.empty()) return;
  std::fprintf(stderr, "%s\n", difference.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::size_t at = 0;
  const auto choose = [&](std::uint64_t bound) -> std::uint64_t {
    if (bound == 0) return 0;
    std::uint64_t value = at < size ? data[at++] : 0;
    if (bound > 256) value = value << 8 | (at < size ? data[at++] : 0U);
    return value % bound;
  };
  QueueComparison comparison(choose);
  while (at < size && !comparison.closed()) stop_if_different(comparison.step());
  stop_if_different(comparison.finish());
  return 0;
}
