#include "broker/shard/limited_by_clock.h"

#include <gtest/gtest.h>

namespace sluice::shard {
namespace {

using model::LimitedBy;
using namespace std::chrono_literals;

constexpr base::MonotonicTime at(base::Duration time) { return base::MonotonicTime(time); }
constexpr std::size_t of(LimitedBy state) { return static_cast<std::size_t>(state); }

TEST(LimitedByClock, Sums_the_time_in_each_state) {
  LimitedByClock clock(at(1s));
  clock.account(LimitedBy::kIdle, at(2s));
  clock.account(LimitedBy::kDelivering, at(5s));
  clock.account(LimitedBy::kIdle, at(5500ms));
  const model::LimitedByTimes times = clock.times();
  EXPECT_EQ(times.total_ms[of(LimitedBy::kIdle)], 1500U);
  EXPECT_EQ(times.total_ms[of(LimitedBy::kDelivering)], 3000U);
  EXPECT_EQ(times.recent_ms, times.total_ms);
  EXPECT_EQ(times.recent_span_ms(), 4500U);
  EXPECT_DOUBLE_EQ(times.share(LimitedBy::kDelivering), 3000.0 / 4500.0);
}

TEST(LimitedByClock, Parts_of_milliseconds_are_not_lost) {
  LimitedByClock clock(at(0s));
  for (int i = 1; i <= 10; ++i) {
    clock.account(i % 2 == 0 ? LimitedBy::kIdle : LimitedBy::kPaused, at(i * 500us));
  }
  EXPECT_EQ(clock.times().recent_span_ms(), 5U);
}

TEST(LimitedByClock, Keeps_about_a_minute_as_recent) {
  LimitedByClock clock(at(0s));
  clock.account(LimitedBy::kTcpWindow, at(30s));
  for (int second = 31; second <= 300; ++second) {
    clock.account(LimitedBy::kPaused, at(second * 1s));
    const std::uint64_t span = clock.times().recent_span_ms();
    EXPECT_LE(span, LimitedByClock::kSlots * LimitedByClock::kSlotMs);
    EXPECT_TRUE(second < 60 || span >= 60'000) << second;
  }
  const model::LimitedByTimes times = clock.times();
  EXPECT_EQ(times.total_ms[of(LimitedBy::kTcpWindow)], 30'000U);
  EXPECT_EQ(times.total_ms[of(LimitedBy::kPaused)], 270'000U);
  EXPECT_EQ(times.recent_ms[of(LimitedBy::kTcpWindow)], 0U);
  EXPECT_DOUBLE_EQ(times.share(LimitedBy::kPaused), 1.0);
}

TEST(LimitedByClock, A_long_rest_is_the_same_as_many_short_ones) {
  LimitedByClock often(at(3s));
  LimitedByClock once(at(3s));
  often.account(LimitedBy::kPaused, at(10s));
  once.account(LimitedBy::kPaused, at(10s));
  for (int second = 11; second <= 500; ++second) often.account(LimitedBy::kIdle, at(second * 1s));
  once.account(LimitedBy::kIdle, at(500s));
  EXPECT_EQ(often.times().total_ms, once.times().total_ms);
  EXPECT_EQ(often.times().recent_ms, once.times().recent_ms);
}

TEST(LimitedByClock, What_has_lasted_no_time_has_no_share) {
  LimitedByClock clock(at(7s));
  clock.account(LimitedBy::kIdle, at(7s));
  EXPECT_EQ(clock.times().share(LimitedBy::kIdle), 0);
}

}  // namespace
}  // namespace sluice::shard
