#include "broker/flow/drain_rate.h"

#include <gtest/gtest.h>

namespace sluice::flow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(DrainRate, NothingIsKnownOfAQueueThatKeepsUp) {
  DrainRate rate;
  base::MonotonicTime now;
  for (std::uint64_t left = 0; left < 10; ++left) rate.observe(now += seconds(1), left, 0);
  EXPECT_EQ(rate.wait(5), std::nullopt);
  EXPECT_EQ(rate.wait(0), base::Duration(0));
}

TEST(DrainRate, WaitIsDepthOverRate) {
  DrainRate rate;
  base::MonotonicTime now;
  rate.observe(now, 0, 1000);
  for (std::uint64_t left = 100; left <= 1000; left += 100) {
    rate.observe(now += seconds(1), left, 1000);
  }
  ASSERT_TRUE(rate.wait(50));
  EXPECT_EQ(std::chrono::round<milliseconds>(*rate.wait(50)), milliseconds(500));
}

TEST(DrainRate, AStalledQueueIsForever) {
  DrainRate rate;
  base::MonotonicTime now;
  rate.observe(now, 7, 10);
  rate.observe(now += seconds(1), 7, 10);
  EXPECT_EQ(rate.wait(1), DrainRate::kForever);
}

TEST(DrainRate, TheNewestSampleCountsMost) {
  DrainRate rate;
  base::MonotonicTime now;
  rate.observe(now, 0, 10);
  rate.observe(now += seconds(1), 1000, 10);
  for (int i = 0; i < 40; ++i) rate.observe(now += seconds(1), 1000, 10);
  EXPECT_EQ(rate.wait(1), DrainRate::kForever);
}

TEST(DrainRate, SamplesAreNotShorterThanTheyMayBe) {
  DrainRate rate;
  base::MonotonicTime now;
  rate.observe(now, 0, 10);
  rate.observe(now + milliseconds(1), 1000, 10);
  EXPECT_EQ(rate.wait(1), std::nullopt);
}

TEST(DrainRate, BeingEmptyOnceForgetsTheRate) {
  DrainRate rate;
  base::MonotonicTime now;
  rate.observe(now, 0, 10);
  rate.observe(now += seconds(1), 1, 10);
  EXPECT_EQ(rate.wait(2), base::Duration(seconds(2)));
  rate.observe(now += seconds(1), 11, 0);
  EXPECT_EQ(rate.wait(2), std::nullopt);
}

TEST(DrainRate, CountsThatFallAreNoDrain) {
  DrainRate rate;
  base::MonotonicTime now;
  rate.observe(now, 100, 10);
  rate.observe(now += seconds(1), 50, 60);
  EXPECT_EQ(rate.wait(1), DrainRate::kForever);
}

}  // namespace
}  // namespace sluice::flow
