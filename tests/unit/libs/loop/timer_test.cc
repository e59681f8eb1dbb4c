#include "libs/loop/timer.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace sluice::loop {
namespace {

using std::chrono::milliseconds;

TEST(Timer, FiresInOrderOfTimeNotOfStart) {
  Loop loop;
  std::string order;
  Timer late(loop, [&] {
    order += 'c';
    loop.stop();
  });
  Timer middle(loop, [&] { order += 'b'; });
  Timer early(loop, [&] { order += 'a'; });
  late.start(milliseconds(20));
  middle.start(milliseconds(10));
  early.start(milliseconds(1));
  loop.run();
  EXPECT_EQ(order, "abc");
}

TEST(Timer, NeverFiresBeforeItsTime) {
  Loop loop;
  const base::SystemClock clock;
  for (int i = 0; i < 20; ++i) {
    base::MonotonicTime fired;
    Timer timer(loop, [&] { fired = clock.now(); });
    const auto start = clock.now();
    timer.start(std::chrono::microseconds(1500));
    while (timer.is_active()) loop.run_once();
    EXPECT_GE(fired - start, std::chrono::microseconds(1500));
  }
}

TEST(Timer, RepeatsUntilCancelled) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] {
    if (++fired == 3) {
      timer.cancel();
      loop.stop();
    }
  });
  timer.start_repeating(milliseconds(1));
  loop.run();
  EXPECT_EQ(fired, 3);
  EXPECT_FALSE(timer.is_active());
}

TEST(Timer, AStartReplacesTheOneBefore) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  Timer end(loop, [&] { loop.stop(); });
  timer.start(milliseconds(1));
  timer.start(milliseconds(2));
  end.start(milliseconds(10));
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(Timer, ACancelledTimerStaysSilentAndCanStartAgain) {
  Loop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  Timer end(loop, [&] { loop.stop(); });
  timer.start(milliseconds(1));
  timer.cancel();
  end.start(milliseconds(5));
  loop.run();
  EXPECT_EQ(fired, 0);
  timer.start(milliseconds(1));
  end.start(milliseconds(5));
  loop.run();
  EXPECT_EQ(fired, 1);
}

TEST(Timer, MayBeDestroyedInItsOwnCallback) {
  Loop loop;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop, [&] {
    timer.reset();
    loop.stop();
  });
  timer->start_repeating(milliseconds(1));
  loop.run();
  EXPECT_EQ(timer, nullptr);
}

}  // namespace
}  // namespace sluice::loop
