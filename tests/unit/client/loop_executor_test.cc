#include "client/src/loop_executor.h"

#include <atomic>
#include <gtest/gtest.h>
#include <string>
#include <thread>

namespace sluice::detail {
namespace {

using std::chrono::milliseconds;

class LoopExecutorTest : public testing::Test {
 protected:
  void SetUp() override {
    loop.on_turn_end([this] { executor.run_ready(); });
  }
  loop::Loop loop;
  LoopExecutor executor{loop};
};

TEST_F(LoopExecutorTest, WorkPostedByAnotherThreadRunsOnTheLoop) {
  std::atomic<bool> was_current{false};
  std::thread poster([&] {
    EXPECT_FALSE(executor.is_current());
    executor.post([&] {
      was_current = executor.is_current();
      loop.stop();
    });
  });
  loop.run();
  poster.join();
  EXPECT_TRUE(was_current);
}

TEST_F(LoopExecutorTest, WorkMayPostWork) {
  std::string order;
  executor.post([&] {
    order += 'a';
    executor.post([&] {
      order += 'b';
      loop.stop();
    });
  });
  loop.run();
  EXPECT_EQ(order, "ab");
}

TEST_F(LoopExecutorTest, TimersRunInOrderAndMayBeCancelled) {
  std::string order;
  const auto now = executor.clock().now();
  executor.post_at(now + milliseconds(4), [&] {
    order += 'b';
    loop.stop();
  });
  executor.post_at(now + milliseconds(2), [&] { order += 'a'; });
  const async::TimerId timer = executor.post_at(now + milliseconds(1), [&] { order += 'x'; });
  EXPECT_TRUE(executor.cancel(timer));
  EXPECT_FALSE(executor.cancel(timer));
  loop.run();
  EXPECT_EQ(order, "ab");
}

TEST_F(LoopExecutorTest, FinishRunsWhatIsPostedAndDropsTheTimers) {
  std::string order;
  executor.post_at(executor.clock().now() + std::chrono::hours(1), [&] { order += 'x'; });
  executor.post([&] {
    order += 'a';
    executor.post([&] { order += 'b'; });
  });
  executor.finish();
  EXPECT_EQ(order, "ab");
}

}  // namespace
}  // namespace sluice::detail
