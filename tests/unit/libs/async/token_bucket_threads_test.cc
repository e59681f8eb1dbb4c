// Several threads on one bucket, each with its own idea of the time that has passed.

#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <random>
#include <thread>
#include <vector>

#include "libs/async/token_bucket.h"

namespace sluice::async {
namespace {

constexpr std::uint64_t kRate = 1'000'000;
constexpr std::uint64_t kBurst = 500;
constexpr int kThreads = 4;
constexpr int kSteps = 50'000;

// Each thread takes and gives back at times between the start and one second; what all of them keep
// may not be more than a second's worth and the burst.
TEST(TokenBucketThreads, TogetherGetNoMoreThanRateAndBurst) {
  TokenBucket bucket(kRate, kBurst);
  const base::MonotonicTime start(std::chrono::seconds(10));
  std::atomic<std::uint64_t> kept{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<std::uint64_t>(t));
      std::uint64_t mine = 0;
      for (int i = 0; i < kSteps; ++i) {
        const base::MonotonicTime now = start + std::chrono::microseconds(20) * i;
        const std::uint64_t n = 1 + random() % kBurst;
        switch (random() % 3) {
          case 0:
            if (bucket.try_take(n, now).ok) mine += n;
            break;
          case 1:
            mine += bucket.take_up_to(n, now);
            break;
          default: {
            const std::uint64_t got = bucket.take_up_to(n, now);
            bucket.give_back(got);
          }
        }
      }
      kept += mine;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(kept.load(), kRate + kBurst);
  EXPECT_GT(kept.load(), kRate / 2) << "and are not starved";
}

// Debts made at one moment by many are due at as many different times, evenly.
TEST(TokenBucketThreads, AreGivenDifferentTimes) {
  TokenBucket bucket(kRate, 1);
  const base::MonotonicTime now(std::chrono::seconds(10));
  std::vector<std::vector<base::MonotonicTime>> due(kThreads);
  std::vector<std::thread> threads;
  for (std::vector<base::MonotonicTime>& mine : due) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) mine.push_back(bucket.take_in_debt(1, now));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<base::MonotonicTime> all;
  for (const auto& mine : due) all.insert(all.end(), mine.begin(), mine.end());
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i], now + std::chrono::microseconds(1) * static_cast<std::int64_t>(i));
  }
}

}  // namespace
}  // namespace sluice::async
