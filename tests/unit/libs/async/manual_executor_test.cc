#include "libs/async/manual_executor.h"

#include <gtest/gtest.h>
#include <string>

namespace sluice::async {
namespace {

using std::chrono::seconds;

TEST(ManualExecutor, RunsPostedWorkInOrderAndOnlyWhenTold) {
  ManualExecutor executor;
  std::string order;
  executor.post([&] {
    order += 'a';
    executor.post([&] { order += 'c'; });
  });
  executor.post([&] { order += 'b'; });
  EXPECT_EQ(order, "");
  EXPECT_EQ(executor.run_ready(), 3U);
  EXPECT_EQ(order, "abc");
}

TEST(ManualExecutor, AdvanceStopsAtEachTimerOnTheWay) {
  ManualExecutor executor;
  const auto start = executor.clock().now();
  std::vector<base::Duration> fired;
  auto note = [&] { fired.push_back(executor.clock().now() - start); };
  executor.post_at(start + seconds(3), note);
  executor.post_at(start + seconds(1), [&] {
    note();
    executor.post_at(start + seconds(2), note);
  });
  executor.advance(seconds(2));
  EXPECT_EQ(fired, (std::vector<base::Duration>{seconds(1), seconds(2)}));
  EXPECT_EQ(executor.clock().now() - start, seconds(2));
  executor.run_until_idle();
  EXPECT_EQ(fired.back(), seconds(3));
}

TEST(ManualExecutor, ACancelledTimerNeverRuns) {
  ManualExecutor executor;
  bool ran = false;
  const TimerId timer = executor.post_at(executor.clock().now() + seconds(1), [&] { ran = true; });
  EXPECT_TRUE(executor.cancel(timer));
  EXPECT_FALSE(executor.cancel(timer));
  executor.run_until_idle();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace sluice::async
