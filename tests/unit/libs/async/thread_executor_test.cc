#include "libs/async/thread_executor.h"

#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace sluice::async {
namespace {

TEST(ThreadExecutor, WorkRunsOnItsThreadAlone) {
  ThreadExecutor executor;
  EXPECT_FALSE(executor.is_current());
  std::promise<bool> inside;
  executor.post([&] { inside.set_value(executor.is_current()); });
  EXPECT_TRUE(inside.get_future().get());
}

TEST(ThreadExecutor, EverythingPostedBeforeTheEndRuns) {
  std::atomic<int> ran{0};
  {
    ThreadExecutor executor;
    std::vector<std::thread> posters;
    for (int i = 0; i < 4; ++i) {
      posters.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) executor.post([&] { ++ran; });
      });
    }
    for (std::thread& poster : posters) poster.join();
  }
  EXPECT_EQ(ran, 4000);
}

TEST(ThreadExecutor, TimersFireInOrderAndNotEarly) {
  ThreadExecutor executor;
  const auto start = executor.clock().now();
  std::string order;
  std::promise<base::MonotonicTime> last;
  executor.post_at(start + std::chrono::milliseconds(4), [&] {
    order += 'b';
    last.set_value(executor.clock().now());
  });
  executor.post_at(start + std::chrono::milliseconds(2), [&] { order += 'a'; });
  EXPECT_GE(last.get_future().get(), start + std::chrono::milliseconds(4));
  EXPECT_EQ(order, "ab");
}

TEST(ThreadExecutor, ACancelledTimerNeverRuns) {
  std::atomic<bool> ran{false};
  ThreadExecutor executor;
  const auto now = executor.clock().now();
  const TimerId timer = executor.post_at(now + std::chrono::hours(1), [&] { ran = true; });
  EXPECT_TRUE(executor.cancel(timer));
  EXPECT_FALSE(executor.cancel(timer));
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace sluice::async
