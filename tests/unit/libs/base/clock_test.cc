#include "libs/base/clock.h"

#include <gtest/gtest.h>
#include <type_traits>

namespace sluice::base {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

static_assert(!std::is_convertible_v<WallTime, MonotonicTime>);
static_assert(!std::is_convertible_v<MonotonicTime, WallTime>);

TEST(ManualClock, Stands_Still_Until_It_Is_Moved) {
  ManualClock clock(WallTime(seconds(1000)));
  const MonotonicTime start = clock.now();
  EXPECT_EQ(clock.now(), start);
  EXPECT_EQ(clock.wall_now(), WallTime(seconds(1000)));

  clock.advance(milliseconds(1500));
  EXPECT_EQ(clock.now() - start, milliseconds(1500));
  EXPECT_EQ(clock.wall_now(), WallTime(milliseconds(1001500)));
}

TEST(SystemClock, Never_Runs_Backwards) {
  const SystemClock clock;
  MonotonicTime before = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const MonotonicTime now = clock.now();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(SystemClock, Wall_Time_Counts_From_1970) {
  const SystemClock clock;
  const auto expected = std::chrono::system_clock::now().time_since_epoch();
  const auto difference = clock.wall_now().time_since_epoch() - expected;
  EXPECT_LT(std::chrono::abs(difference), seconds(60));
}

TEST(Clock, Never_Is_Later_Than_Any_Time_That_Occurs) {
  EXPECT_GT(kNever, MonotonicTime(std::chrono::hours(24 * 365 * 200)));
}

TEST(Clock, Wall_Time_Goes_To_The_Wire_As_Nanoseconds) {
  EXPECT_EQ(to_wire(WallTime(seconds(1) + Duration(7))), 1'000'000'007U);
  EXPECT_EQ(to_wire(WallTime{}), 0U);
}

}  // namespace
}  // namespace sluice::base
