#include "tests/bench/load/usage.h"

#include <gtest/gtest.h>

namespace sluice::bench {
namespace {

TEST(Usage, AddsUserAndSystemTicksWhateverTheNameIs) {
  EXPECT_EQ(ticks_in_stat("42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 123 45 0 0 20 0 1"),
            168U);
  EXPECT_EQ(ticks_in_stat(""), 0U);
  EXPECT_EQ(ticks_in_stat("42 (a) S"), 0U);
}

TEST(Usage, FindsTheNamedLine) {
  const char* status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
  EXPECT_EQ(kib_in_status(status, "VmRSS:"), 1024U);
  EXPECT_EQ(kib_in_status(status, "VmHWM:"), 2048U);
  EXPECT_EQ(kib_in_status(status, "VmSwap:"), 0U);
}

TEST(Usage, ThisProcessHasMemoryAndAGoneOneHasNone) {
  EXPECT_GT(usage_of(0).rss_kib, 100U);
  EXPECT_EQ(usage_of(0x7FFFFFFF).rss_kib, 0U);
}

}  // namespace
}  // namespace sluice::bench
