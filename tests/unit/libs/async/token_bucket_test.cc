#include "libs/async/token_bucket.h"

#include <gtest/gtest.h>
#include <random>

namespace sluice::async {
namespace {

using base::Duration;
using base::MonotonicTime;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr MonotonicTime at(Duration since_start) { return MonotonicTime(since_start); }

TEST(TokenBucket, IsFullAtFirstAndFillsAtItsRate) {
  TokenBucket bucket(1000, 10);
  EXPECT_EQ(bucket.level(at(seconds(5))), 10);
  EXPECT_TRUE(bucket.try_take(10, at(seconds(5))).ok);
  EXPECT_EQ(bucket.level(at(seconds(5))), 0);
  EXPECT_EQ(bucket.level(at(seconds(5) + milliseconds(3))), 3);
  EXPECT_FALSE(bucket.full(at(seconds(5) + milliseconds(9))));
  EXPECT_TRUE(bucket.full(at(seconds(5) + milliseconds(10))));
  EXPECT_EQ(bucket.level(at(hours(1))), 10);
}

TEST(TokenBucket, TellsWhenARefusedAmountWillBeThere) {
  TokenBucket bucket(1000, 10);
  ASSERT_TRUE(bucket.try_take(8, at(seconds(1))).ok);
  const TokenBucket::Taken refused = bucket.try_take(5, at(seconds(1)));
  EXPECT_FALSE(refused.ok);
  EXPECT_EQ(refused.when, at(seconds(1) + milliseconds(3)));
  EXPECT_EQ(bucket.level(at(seconds(1))), 2) << "a refusal takes nothing";
  EXPECT_FALSE(bucket.try_take(5, refused.when - Duration(1)).ok);
  EXPECT_TRUE(bucket.try_take(5, refused.when).ok);
}

TEST(TokenBucket, LetsMoreThanTheBurstPassWhenItIsFull) {
  TokenBucket bucket(100, 10);
  EXPECT_TRUE(bucket.try_take(50, at(seconds(1))).ok);
  EXPECT_EQ(bucket.level(at(seconds(1))), -40);
  EXPECT_FALSE(bucket.try_take(1, at(seconds(1) + milliseconds(409))).ok);
  EXPECT_TRUE(bucket.try_take(1, at(seconds(1) + milliseconds(410))).ok);
  const TokenBucket::Taken again = bucket.try_take(50, at(seconds(2)));
  EXPECT_TRUE(again.ok) << "full again after half a second of debt and its own tenth";
}

TEST(TokenBucket, GivesDebtsInTheOrderTheyWereMade) {
  TokenBucket bucket(10, 1);
  const MonotonicTime now = at(seconds(1));
  EXPECT_EQ(bucket.take_in_debt(1, now), now);
  EXPECT_EQ(bucket.take_in_debt(1, now), now + milliseconds(100));
  EXPECT_EQ(bucket.take_in_debt(3, now), now + milliseconds(200)) << "once the bucket is full";
  EXPECT_EQ(bucket.take_in_debt(1, now), now + milliseconds(500)) << "and then pays for the rest";
}

TEST(TokenBucket, NeverTellsALaterOneAnEarlierTime) {
  std::mt19937_64 random(7);
  TokenBucket bucket(1'000'000, 5000);
  MonotonicTime now = at(seconds(1));
  MonotonicTime last = now;
  for (int i = 0; i < 10'000; ++i) {
    now += Duration(static_cast<std::int64_t>(random() % 9'000'000));
    const MonotonicTime due = bucket.take_in_debt(1 + random() % 20'000, now);
    ASSERT_GE(due, last);
    last = due;
  }
}

TEST(TokenBucket, GivesBackExactlyWhatWasTaken) {
  TokenBucket bucket(777, 100);
  ASSERT_TRUE(bucket.try_take(60, at(seconds(1))).ok);
  const std::int64_t before = bucket.level(at(seconds(1)));
  bucket.take_in_debt(999, at(seconds(1)));
  bucket.give_back(999);
  EXPECT_EQ(bucket.level(at(seconds(1))), before);
  bucket.give_back(60);
  EXPECT_EQ(bucket.level(at(seconds(9))), 100) << "and never has more than the burst";
}

TEST(TokenBucket, TakesWhatIsThere) {
  TokenBucket bucket(1000, 10);
  const MonotonicTime now = at(seconds(1));
  EXPECT_EQ(bucket.take_up_to(4, now), 4U);
  EXPECT_EQ(bucket.take_up_to(100, now), 6U);
  EXPECT_EQ(bucket.take_up_to(1, now), 0U);
  EXPECT_EQ(bucket.take_up_to(100, now + microseconds(2500)), 2U);
}

TEST(TokenBucket, KeepsItsLevelWhenTheRateChanges) {
  const MonotonicTime now = at(seconds(1));
  TokenBucket bucket(1000, 100);
  ASSERT_TRUE(bucket.try_take(60, now).ok);
  bucket.reshape(10, 50, now);
  EXPECT_EQ(bucket.level(now), 40);
  EXPECT_EQ(bucket.level(now + seconds(1)), 50);
  bucket.reshape(1000, 5, now);
  EXPECT_EQ(bucket.level(now), 5) << "what is above the new burst is gone";
  bucket.take_in_debt(25, now);
  bucket.reshape(10, 5, now);
  EXPECT_EQ(bucket.level(now), -20) << "debts stay";
}

// The law of a token bucket, at rates where rounding would show.
TEST(TokenBucket, NeverLetsMorePassThanItsRateAndBurst) {
  for (const std::uint64_t rate : {1ULL, 3ULL, 999ULL, 1'000'003ULL, 7'777'777'777ULL}) {
    std::mt19937_64 random(rate);
    const std::uint64_t burst = 1 + rate / 7;
    TokenBucket bucket(rate, burst);
    const MonotonicTime start = at(hours(24 * 365));
    MonotonicTime now = start;
    std::uint64_t passed = 0;
    for (int i = 0; i < 5000; ++i) {
      now += Duration(static_cast<std::int64_t>(random() % 3'000'000'000ULL) / (1 + i % 1000));
      const std::uint64_t n = 1 + random() % burst;
      if (bucket.try_take(n, now).ok) passed += n;
      passed += bucket.take_up_to(random() % burst, now);
      const long double time =
          std::chrono::duration_cast<std::chrono::duration<long double>>(now - start).count();
      const long double most = time * static_cast<long double>(rate);
      ASSERT_LE(static_cast<long double>(passed), most + static_cast<long double>(burst) + 1e-3L);
    }
    EXPECT_GT(passed, burst) << "it does let pass what it may";
  }
}

TEST(TokenBucket, ForgetsNoDebtHoweverLarge) {
  TokenBucket bucket(1, 1);
  const MonotonicTime now = at(seconds(1));
  bucket.take_in_debt(~0ULL, now);
  bucket.take_in_debt(~0ULL, now);
  EXPECT_LT(bucket.level(now), -1'000'000);
  EXPECT_FALSE(bucket.try_take(1, now + hours(24 * 300)).ok);
}

}  // namespace
}  // namespace sluice::async
