// What a queue spills, seen by publishers, subscribers and operators of a shard.

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"
#include "tests/support/slow_spill_store.h"

namespace sluice::testing {
namespace {

using Names = std::vector<std::string>;

class Spilling : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  explicit Spilling(const SpillFaults& faults = {0, 0, 0})
      : broker({.shards = GetParam(),
                .make_spill =
                    [faults](std::uint16_t shard, std::function<void()> wake) {
                      return std::make_unique<SlowSpillStore>(shard, faults, std::move(wake));
                    }}),
        pub(broker.connect(0, "pub")),
        sub(broker.connect(GetParam() - std::size_t{1}, "sub")) {
    sub.subscribe(
        {.filters = {"a"}, .overflow = "spill:2KiB,drop_newest", .max_messages = 2, .credit = 0});
    broker.run();
    sub.heard();
  }
  std::string published(std::size_t messages) {
    pub.publish("a", {.payloads = Names(messages, "x")});
    broker.run();
    return pub.heard();
  }
  model::LimitedBy state() {
    auto state = model::LimitedBy::kIdle;
    broker.shard(GetParam() - std::size_t{1}).each_subscription([&](const shard::Subscription& s) {
      state = s.limited_by;
    });
    return state;
  }

  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

class LateSpilling : public Spilling {
 protected:
  LateSpilling() : Spilling({100, 0, 0}) {}
};

INSTANTIATE_TEST_SUITE_P(Shards, Spilling, ::testing::Values(1, 2));
INSTANTIATE_TEST_SUITE_P(Shards, LateSpilling, ::testing::Values(1, 2));

TEST_P(Spilling, AReceiptSaysHowManyWereSpilled) {
  EXPECT_EQ(published(5), "RECEIPT 1 accepted messages=5 matched=5 accepted=2 spilled=3\n");
  sub.credit(1, 5);
  broker.run();
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a x x\nDELIVER 1 #3 a x x\nDELIVER 1 #5 a x\n");
}

// disk_read is what limits a subscription whose next message is still being read.
TEST_P(LateSpilling, WhatIsBeingReadIsSaidToLimit) {
  published(3);
  sub.credit(1, 3);
  const std::size_t at = GetParam() - std::size_t{1};
  bool read = false;
  for (int turns = 0; turns < 20; ++turns) {
    broker.turn(at, 1U << 16);
    read = read || state() == model::LimitedBy::kDiskRead;
  }
  EXPECT_TRUE(read);
  broker.run();
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a x x\nDELIVER 1 #3 a x\n");
}

}  // namespace
}  // namespace sluice::testing
