#include "broker/log/rate_gate.h"

#include <gtest/gtest.h>

namespace sluice::log {
namespace {

using std::chrono::seconds;

class RateGateTest : public testing::Test {
 protected:
  bool admit(std::string_view event, Level level = Level::kInfo) {
    return gate_.admit(level, event, now_, over_);
  }

  RateGate gate_{2, seconds(10)};
  base::MonotonicTime now_{seconds(100)};
  std::vector<Suppressed> over_;
};

TEST_F(RateGateTest, Admits_the_burst_and_counts_the_rest) {
  EXPECT_TRUE(admit("e"));
  EXPECT_TRUE(admit("e"));
  EXPECT_FALSE(admit("e"));
  EXPECT_FALSE(admit("e"));
  EXPECT_TRUE(over_.empty());
  now_ += seconds(10);
  EXPECT_TRUE(admit("e"));
  ASSERT_EQ(over_.size(), 1U);
  EXPECT_EQ(over_[0].event, "e");
  EXPECT_EQ(over_[0].count, 2U);
}

TEST_F(RateGateTest, Kinds_do_not_share_their_burst) {
  EXPECT_TRUE(admit("a"));
  EXPECT_TRUE(admit("a"));
  EXPECT_FALSE(admit("a"));
  EXPECT_TRUE(admit("b"));
  EXPECT_TRUE(admit("a", Level::kError));
}

TEST_F(RateGateTest, Ended_windows_are_told_once) {
  for (int i = 0; i < 5; ++i) admit("e");
  EXPECT_TRUE(gate_.take_over(now_ + seconds(9)).empty());
  const auto over = gate_.take_over(now_ + seconds(10));
  ASSERT_EQ(over.size(), 1U);
  EXPECT_EQ(over[0].count, 3U);
  EXPECT_TRUE(gate_.take_over(now_ + seconds(10)).empty());
}

TEST_F(RateGateTest, The_end_takes_what_is_left) {
  for (int i = 0; i < 3; ++i) admit("e");
  EXPECT_EQ(gate_.take_over(base::kNever).size(), 1U);
}

TEST_F(RateGateTest, Too_many_kinds_share_one_window) {
  for (std::size_t i = 0; i < kKindsMax; ++i) EXPECT_TRUE(admit("kind " + std::to_string(i)));
  EXPECT_TRUE(admit("new 1"));
  EXPECT_TRUE(admit("new 2"));
  EXPECT_FALSE(admit("new 3"));
  EXPECT_TRUE(admit("kind 0")) << "known kinds keep their own";
  const auto over = gate_.take_over(base::kNever);
  ASSERT_EQ(over.size(), 1U);
  EXPECT_EQ(over[0].event, "other events");
}

}  // namespace
}  // namespace sluice::log
