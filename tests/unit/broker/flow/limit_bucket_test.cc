#include "broker/flow/limit_bucket.h"

#include <gtest/gtest.h>

namespace sluice::flow {
namespace {

using namespace std::chrono_literals;

const base::MonotonicTime kNow(10s);

model::LimitSpec both(std::uint64_t messages, std::uint64_t bytes) {
  model::LimitSpec spec;
  spec.messages_per_second = messages;
  spec.bytes_per_second = bytes;
  return spec;
}

TEST(LimitBucket, ChargesMessagesAndBytesTogetherOrNeither) {
  LimitBucket bucket("a", both(10, 100));
  EXPECT_FALSE(bucket.try_take(5, 90, kNow));
  const auto refused = bucket.try_take(1, 20, kNow);
  ASSERT_TRUE(refused);
  EXPECT_EQ(*refused, kNow + 100ms) << "of the bytes";
  EXPECT_EQ(bucket.messages_left(kNow), 5) << "what was taken of the messages is back";
  EXPECT_EQ(bucket.bytes_left(kNow), 10);
  bucket.give_back(5, 90);
  EXPECT_TRUE(bucket.full(kNow));
}

TEST(LimitBucket, IsDueWhenBothAre) {
  LimitBucket bucket("a", both(10, 100));
  EXPECT_EQ(bucket.take_in_debt(10, 100, kNow), kNow);
  EXPECT_EQ(bucket.take_in_debt(1, 50, kNow), kNow + 500ms);
  EXPECT_EQ(bucket.take_in_debt(9, 1, kNow), kNow + 1s);
}

TEST(LimitBucket, LimitsOneOfThemAlone) {
  LimitBucket messages("a", both(10, 0));
  EXPECT_FALSE(messages.try_take(10, 1U << 30, kNow));
  EXPECT_EQ(messages.bytes_left(kNow), std::nullopt);
  LimitBucket bytes("a", both(0, 10));
  EXPECT_FALSE(bytes.try_take(1000, 10, kNow));
  EXPECT_EQ(bytes.messages_left(kNow), std::nullopt);
}

TEST(LimitBucket, TellsHowManyWereWithinOfWhatGoesAnyway) {
  LimitBucket messages("a", both(10, 0));
  EXPECT_EQ(messages.take_within(8, 0, kNow), 8U);
  EXPECT_EQ(messages.take_within(8, 0, kNow), 2U);
  LimitBucket bytes("a", both(0, 100));
  EXPECT_EQ(bytes.take_within(3, 60, kNow), 3U);
  EXPECT_EQ(bytes.take_within(4, 80, kNow), 2U);
  EXPECT_EQ(bytes.take_within(4, 80, kNow), 0U);
}

TEST(LimitBucket, KeepsItsLevelInAnotherShape) {
  LimitBucket bucket("a", both(10, 100));
  EXPECT_FALSE(bucket.try_take(4, 40, kNow));
  bucket.reshape(both(100, 1000), kNow);
  EXPECT_EQ(bucket.messages_left(kNow), 6);
  EXPECT_EQ(bucket.bytes_left(kNow), 60);
}

TEST(LimitBucket, CountsWhatBecameOfMessages) {
  LimitBucket bucket("a", both(10, 0));
  bucket.count_passed(5, 500);
  bucket.count_passed(2, 20);
  bucket.uncount_passed(2, 20);
  bucket.count_delayed(3);
  bucket.count_refused(4);
  bucket.count_observed(1);
  LimitCounts sum = bucket.counts();
  sum.add(bucket.counts());
  EXPECT_EQ(sum.passed_messages, 10U);
  EXPECT_EQ(sum.passed_bytes, 1000U);
  EXPECT_EQ(sum.delayed_messages, 6U);
  EXPECT_EQ(sum.refused_messages, 8U);
  EXPECT_EQ(sum.observed_messages, 2U);
}

}  // namespace
}  // namespace sluice::flow
