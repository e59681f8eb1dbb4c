#include "tests/bench/load/usage.h"

#include <gtest/gtest.h>

namespace sluice::bench {
namespace {

TEST(Usage, TakesTheFirstNumberOfSchedstat) {
  EXPECT_EQ(ns_in_schedstat("123456789 42 7\n"), 123456789U);
  EXPECT_EQ(ns_in_schedstat(""), 0U);
}

TEST(Usage, FindsTheNamedLine) {
  const char* status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
  EXPECT_EQ(kib_in_status(status, "VmRSS:"), 1024U);
  EXPECT_EQ(kib_in_status(status, "VmHWM:"), 2048U);
  EXPECT_EQ(kib_in_status(status, "VmSwap:"), 0U);
}

TEST(Usage, ThisProcessHasMemoryAndAGoneOneHasNone) {
  EXPECT_GT(usage_of(0).rss_kib, 100U);
  EXPECT_GT(usage_of(0).cpu_seconds, 0.0);
  EXPECT_EQ(usage_of(0x7FFFFFFF).rss_kib, 0U);
}

}  // namespace
}  // namespace sluice::bench
