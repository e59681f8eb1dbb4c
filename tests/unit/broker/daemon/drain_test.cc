// A drain of shards that answer, have something left, or do not answer any more.

#include "broker/daemon/drain.h"

#include <gtest/gtest.h>

namespace sluice::daemon {
namespace {

using namespace std::chrono_literals;
using Act = Drain::Act;
using Stuck = std::vector<std::size_t>;

class DrainTest : public ::testing::Test {
 protected:
  static constexpr auto kDeadline = 5000ms;

  Act step() { return drain.on_time(now); }
  // Asks, and has all answer what they have left but for those in `silent`.
  void ask(const Stuck& silent = {}) {
    ASSERT_EQ(step(), Act::kAsk);
    for (const std::size_t shard : drain.to_ask()) {
      const bool answers = std::find(silent.begin(), silent.end(), shard) == silent.end();
      if (answers) drain.on_answer(shard, left[shard]);
    }
  }

  base::MonotonicTime now{base::Duration(1s)};
  Drain drain{2, now + kDeadline};
  Drain::Left left[2] = {{true, 0, 0, 1}, {true, 0, 0, 1}};
};

TEST_F(DrainTest, EndsWhenAllHaveNothingLeftTwiceInARow) {
  ask();
  left[1] = {false, 1, 0, 1};  // a letter was on its way to it
  ask();
  left[1] = {true, 0, 0, 1};
  ask();
  EXPECT_EQ(step(), Act::kAsk);
  EXPECT_EQ(step(), Act::kWait);
  drain.on_answer(0, left[0]);
  EXPECT_EQ(step(), Act::kWait);
  drain.on_answer(1, left[1]);
  EXPECT_EQ(step(), Act::kCut);
  left[0].connections = left[1].connections = 0;
  ask();
  EXPECT_EQ(step(), Act::kEnd);
  EXPECT_EQ(drain.result().messages_left, 0U);
  EXPECT_EQ(drain.result().stuck, Stuck{});
}

TEST_F(DrainTest, TellsWhatIsLeftAtTheDeadline) {
  left[0] = {false, 3, 1, 2};
  left[1] = {false, 4, 0, 2};
  ask();
  now += kDeadline - 1ms;
  ask();
  now += 1ms;
  EXPECT_EQ(step(), Act::kCut);
  ask();  // connections do not go
  now += Drain::kCutGrace;
  EXPECT_EQ(step(), Act::kEnd);
  EXPECT_EQ(drain.result().messages_left, 7U);
  EXPECT_EQ(drain.result().publishes_left, 1U);
  EXPECT_EQ(drain.result().stuck, Stuck{});
}

TEST_F(DrainTest, GivesUpAShardThatDoesNotAnswer) {
  left[1] = {false, 4, 2, 2};
  ask();
  ask({1});
  EXPECT_EQ(step(), Act::kWait);
  now += kDeadline;
  EXPECT_EQ(step(), Act::kCut);  // it has had all the time since
  ask();
  EXPECT_EQ(drain.to_ask(), Stuck{0});
  left[0].connections = 0;
  ask();
  EXPECT_EQ(step(), Act::kEnd);
  EXPECT_EQ(drain.result().messages_left, 4U);  // as it said last
  EXPECT_EQ(drain.result().publishes_left, 2U);
  EXPECT_EQ(drain.result().stuck, Stuck{1});
}

TEST_F(DrainTest, AShardThatIsAskedShortlyBeforeTheDeadlineIsWaitedFor) {
  now += kDeadline - 1ms;
  ask({0, 1});
  now += 1ms;
  EXPECT_EQ(step(), Act::kWait);
  now += Drain::kStuckAfter - 2ms;
  EXPECT_EQ(step(), Act::kWait);
  drain.on_answer(0, left[0]);
  now += 1ms;
  EXPECT_EQ(step(), Act::kCut);
  EXPECT_EQ(drain.result().stuck, Stuck{1});
}

TEST_F(DrainTest, AShardThatAnswersLateIsNotGivenUp) {
  ask({1});
  now += kDeadline;
  EXPECT_EQ(step(), Act::kCut);
  drain.on_answer(1, {false, 9, 0, 1});
  left[0].connections = left[1].connections = 0;
  ask();
  EXPECT_EQ(step(), Act::kEnd);
  EXPECT_EQ(drain.result().stuck, Stuck{});
}

TEST_F(DrainTest, AShardThatStopsAnsweringInTheCutIsGivenUp) {
  ask();
  ask();
  EXPECT_EQ(step(), Act::kCut);
  ask({0});
  now += Drain::kStuckAfter;
  EXPECT_EQ(step(), Act::kEnd);
  EXPECT_EQ(drain.result().stuck, Stuck{0});
}

TEST_F(DrainTest, IsShortenedByASecondSignal) {
  left[0] = {false, 3, 1, 2};
  ask();
  EXPECT_EQ(step(), Act::kAsk);
  drain.on_answer(0, left[0]);
  drain.shorten(now);
  EXPECT_EQ(step(), Act::kWait);
  drain.on_answer(1, left[1]);
  EXPECT_EQ(step(), Act::kCut);
  drain.shorten(now);
  EXPECT_EQ(step(), Act::kEnd);
}

}  // namespace
}  // namespace sluice::daemon
