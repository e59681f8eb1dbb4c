// How much one turn takes in, and that what it leaves is not forgotten.

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

shard::Options short_turns(std::uint64_t copies) {
  shard::Options options;
  options.copies_turn = copies;
  return options;
}

class Turn : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  Turn()
      : broker({.shards = GetParam(), .options = short_turns(10)}),
        pub(broker.connect(0, "pub")),
        sub(broker.connect(GetParam() - std::size_t{1}, "sub")) {
    for (std::uint32_t id = 1; id <= 5; ++id) sub.subscribe({.id = id, .filters = {"a"}});
    broker.run();
    sub.heard();
  }
  std::uint64_t matched() {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < broker.size(); ++i) {
      sum += broker.metrics(i).copies_matched.value();
    }
    return sum;
  }
  std::uint64_t answered() const {
    std::uint64_t count = 0;
    for (const ReceiptRow& row : pub.receipts()) count += row.last - row.first + 1;
    return count;
  }

  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

INSTANTIATE_TEST_SUITE_P(Shards, Turn, ::testing::Values(1, 2));

TEST_P(Turn, TakesInNoMoreThanItHasTimeFor) {
  for (int i = 0; i < 20; ++i) pub.publish("a", {"x"});
  std::uint64_t before = matched();
  int turns = 0;
  bool busy = true;
  for (; busy || turns < 4; ++turns) {
    busy = false;
    for (std::size_t shard = 0; shard < broker.size(); ++shard) {
      if (broker.turn(shard)) busy = true;
      // Twice the budget: what came before has its own part of the turn.
      EXPECT_LE(matched() - before, 20U);
      before = matched();
    }
  }
  EXPECT_GE(turns, 5);
  EXPECT_EQ(matched(), 100U);
  EXPECT_EQ(answered(), 20U);
  EXPECT_TRUE(broker.idle());
}

TEST_P(Turn, AFloodOfOneConnectionLeavesTimeForTheOthers) {
  TestClient& other = broker.connect(0, "other");
  for (int i = 0; i < 200; ++i) pub.publish("a", {"x"});
  other.say(wire::Ping{7}, 1);
  broker.turn(0);
  broker.turn(0);
  EXPECT_EQ(other.heard(), "PONG 7\n");
  EXPECT_LT(answered(), 200U);
  broker.run();
  EXPECT_EQ(answered(), 200U);
  EXPECT_TRUE(broker.idle());
}

TEST_P(Turn, WhatIsUnreadWhenThePublisherEndsIsStillPublished) {
  for (int i = 0; i < 20; ++i) pub.publish("a", {"x"});
  pub.half_close();
  broker.run();
  broker.run();  // the end of the stream is read once reading has resumed
  EXPECT_EQ(matched(), 100U);
  EXPECT_TRUE(pub.gone());
  EXPECT_TRUE(broker.idle());
}

TEST_P(Turn, ADrainWaitsForWhatIsUnread) {
  for (int i = 0; i < 20; ++i) pub.publish("a", {"x"});
  broker.turn(0);
  for (std::size_t i = 0; i < broker.size(); ++i) broker.shard(i).start_drain({});
  EXPECT_FALSE(broker.shard(0).is_drained());
  broker.run();
  EXPECT_EQ(answered(), 20U);
  EXPECT_TRUE(broker.shard(0).is_drained());
}

}  // namespace
}  // namespace sluice::testing
