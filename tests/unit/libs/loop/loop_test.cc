#include "libs/loop/loop.h"

#include <chrono>
#include <gtest/gtest.h>
#include <string>
#include <thread>

#include "libs/loop/timer.h"
#include "libs/loop/wakeup.h"

namespace sluice::loop {
namespace {

TEST(Loop, StopBeforeRunEndsRunAtOnce) {
  Loop loop;
  loop.stop();
  loop.run();
  SUCCEED();
}

TEST(Loop, StopFromAnotherThreadEndsRun) {
  Loop loop;
  std::thread stopper([&] { loop.stop(); });
  loop.run();
  stopper.join();
  // A second run is not ended by the first stop.
  bool fired = false;
  Timer timer(loop, [&] {
    fired = true;
    loop.stop();
  });
  timer.start(std::chrono::milliseconds(1));
  loop.run();
  EXPECT_TRUE(fired);
}

TEST(Loop, OwnerIsTheThreadInRunAndBeforeAndAfterItTheFormerOne) {
  Loop loop;
  EXPECT_TRUE(loop.is_owner());
  bool owner_inside = false;
  loop.on_turn_end([&] {
    owner_inside = loop.is_owner();
    loop.stop();
  });
  loop.request_turn();
  std::thread runner([&] { loop.run(); });
  runner.join();
  EXPECT_TRUE(owner_inside);
  EXPECT_TRUE(loop.is_owner());  // and with it the right to destroy
}

TEST(Loop, HooksEncloseTheCallbacksOfATurn) {
  Loop loop;
  std::string order;
  Wakeup first(loop, [&] { order += 'a'; });
  Wakeup second(loop, [&] { order += 'b'; });
  loop.on_turn_begin([&] { order += '('; });
  loop.on_turn_end([&] { order += ')'; });
  first.post();
  second.post();
  while (order.size() < 4) loop.run_once();
  EXPECT_TRUE(order == "(ab)" || order == "(ba)") << order;
}

TEST(Loop, ATurnWithoutCallbacksHasNoHooks) {
  Loop loop;
  int ends = 0;
  loop.on_turn_end([&] { ++ends; });
  loop.run_ready();
  loop.run_ready();
  EXPECT_EQ(ends, 0);
}

TEST(Loop, ARequestedTurnFollowsThoughNothingHappens) {
  Loop loop;
  int turns = 0;
  loop.on_turn_end([&] {
    if (++turns == 3) return loop.stop();
    loop.request_turn();
  });
  loop.request_turn();
  loop.run();
  EXPECT_GE(turns, 3);
  EXPECT_GE(loop.take_stats().turns, 3U);
}

TEST(Loop, NowStandsStillWithinATurn) {
  Loop loop;
  base::MonotonicTime begin;
  base::MonotonicTime later;
  Wakeup wakeup(loop, [&] {
    begin = loop.now();
    const auto until = base::SystemClock().now() + std::chrono::microseconds(50);
    while (base::SystemClock().now() < until) continue;
    later = loop.now();
  });
  const auto before = base::SystemClock().now();
  wakeup.post();
  loop.run_once();
  EXPECT_EQ(begin, later);
  EXPECT_GE(begin, before);
  EXPECT_GE(loop.take_stats().longest_turn, std::chrono::microseconds(50));
}

}  // namespace
}  // namespace sluice::loop
