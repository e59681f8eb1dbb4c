// The memory budget as clients meet it: pressure, refusals, and what goes on nevertheless.

#include <gtest/gtest.h>

#include "broker/config/memory_costs.h"
#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = 1U << 20;
constexpr std::uint64_t kBudget = 64 * kMiB;

// The publisher is on the first shard, the subscriber on the last.
class MemoryTest : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  MemoryTest()
      : broker({.shards = GetParam(), .memory_budget = kBudget}),
        pub(broker.connect(0, "pub")),
        sub(broker.connect(GetParam() - std::size_t{1}, "sub")) {}

  // Takes memory as if clients had filled it, up to `share` of the budget; the shards hear of it.
  void use(double share) {
    ballast = {};
    turn_all();
    const auto wanted = static_cast<std::uint64_t>(static_cast<double>(kBudget) * share);
    ASSERT_LT(broker.budget()->used(), wanted);
    const std::uint64_t missing = wanted - broker.budget()->used();
    ballast = base::SlabRef::make(missing, &broker.budget()->account(model::ShardId(0)));
    turn_all();
  }
  void turn_all() {
    broker.pass(300ms);
    broker.run();
  }
  std::string published(std::string_view topic, std::string payload) {
    pub.publish(topic, PublishOptions{.payloads = {std::move(payload)}});
    broker.run();
    return pub.heard();
  }

  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
  base::SlabRef ballast;
};

INSTANTIATE_TEST_SUITE_P(Shards, MemoryTest, ::testing::Values(1, 3));

TEST_P(MemoryTest, APublishIsRefusedWhenItIsFullAndTakenAgainAfterwards) {
  sub.subscribe({.id = 1, .filters = {"a"}});
  broker.run();
  use(1.0);
  EXPECT_EQ(published("a", "x"), "RECEIPT 1 rejected memory-budget messages=1\n");
  EXPECT_GT(pub.receipts().back().receipt.retry_after_ms, 0U);
  EXPECT_EQ(pub.receipts().back().receipt.pressure, 255);
  use(0.4);
  EXPECT_NE(published("a", "x").find("RECEIPT 2 accepted messages=1 matched=1 accepted=1\n"),
            std::string::npos);
  EXPECT_EQ(pub.receipts().back().receipt.pressure, 0);
}

TEST_P(MemoryTest, TheLastOfItIsLeftForOtherThingsThanPublishes) {
  use(0.98);
  EXPECT_EQ(published("a", "x"), "RECEIPT 1 rejected memory-budget messages=1\n");
  EXPECT_EQ(broker.connect(0).errors().size(), 0U);
  sub.subscribe({.id = 1, .filters = {"a"}});
  pub.open_topic("b");
  broker.run();
  EXPECT_EQ(sub.heard(), "SUBSCRIBED 1 next=1\n");
  EXPECT_EQ(pub.heard(), "TOPIC b\n");
}

TEST_P(MemoryTest, NothingNewBeginsWhenItIsFull) {
  use(1.0);
  sub.subscribe({.id = 1, .filters = {"a"}});
  pub.open_topic("b");
  TestClient& late = broker.connect_silently(0);
  late.hello();
  broker.run();
  EXPECT_EQ(sub.heard(), "ERROR memory-budget stays\n");
  EXPECT_EQ(pub.heard(), "ERROR memory-budget stays\n");
  EXPECT_TRUE(late.gone());
  EXPECT_EQ(broker.metrics(0).connections_refused[metrics::RefuseReason::kMemory].value(), 1U);
}

TEST_P(MemoryTest, WhatIsQueuedIsDeliveredAlsoWhenItIsFull) {
  sub.subscribe({.id = 1, .filters = {"a"}, .credit = 0});
  broker.run();
  ASSERT_EQ(sub.heard(), "SUBSCRIBED 1 next=1\n");
  published("a", "x");
  use(1.0);
  sub.credit(1, 10);
  sub.say(wire::Ping{7});
  broker.run();
  EXPECT_EQ(sub.heard(), "PONG 7\nDELIVER 1 #1 a x\n");
  sub.unsubscribe(1);
  broker.run();
  EXPECT_TRUE(sub.accounts().contains(1));
}

TEST_P(MemoryTest, PublishersHearOfPressureInStepsAndSubscribersDoNot) {
  published("a", "x");
  use(0.4);
  EXPECT_EQ(pub.heard(), "");
  use(0.65);
  EXPECT_EQ(pub.heard(), "STATE 1 level=64 memory-budget\n");
  EXPECT_NE(published("a", "x").find("RECEIPT 2 accepted"), std::string::npos);
  EXPECT_GT(pub.receipts().back().receipt.pressure, 64);
  use(0.65);
  EXPECT_EQ(pub.heard(), "STATE 1\nSTATE 1 level=64 memory-budget\n");  // it let go in between
  use(1.0);
  EXPECT_EQ(pub.heard(), "STATE 1\nSTATE 1 level=255 memory-budget\n");
  ballast = {};
  turn_all();
  EXPECT_EQ(pub.heard(), "STATE 1\n");
  EXPECT_EQ(sub.heard(), "");
}

// The publisher on the first shard, who waits on the last.
class MemoryLevelsTest : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  explicit MemoryLevelsTest(flow::MemoryLevels levels = {.topic = 20'000, .user = 30'000})
      : broker({.shards = GetParam(), .memory_levels = levels, .memory_budget = kBudget}),
        pub(broker.connect(0, "pub")),
        sub(broker.connect(GetParam() - std::size_t{1}, "sub")) {
    sub.subscribe({.id = 1, .filters = {">"}, .credit = 0});
    broker.run();
  }
  std::string published(std::string_view topic, std::size_t bytes) {
    pub.publish(topic, PublishOptions{.payloads = {std::string(bytes, 'x')}});
    broker.run();
    return pub.heard();
  }
  const wire::Receipt& receipt() const { return pub.receipts().back().receipt; }

  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

INSTANTIATE_TEST_SUITE_P(Shards, MemoryLevelsTest, ::testing::Values(1, 2));

TEST_P(MemoryLevelsTest, ATopicIsRefusedAtItsBoundAndOthersAreNot) {
  published("a", 9'000);
  EXPECT_EQ(receipt().pressure, 0);
  published("a", 9'000);
  EXPECT_GT(receipt().pressure, 128);
  published("a", 9'000);
  EXPECT_EQ(receipt().pressure, 255);
  EXPECT_NE(published("a", 10).find("rejected memory-budget"), std::string::npos);
  EXPECT_NE(published("b", 10).find("accepted"), std::string::npos);
}

TEST_P(MemoryLevelsTest, AUserIsRefusedAtItsBoundWhateverTheTopic) {
  for (const char* topic : {"a", "b", "c"}) published(topic, 11'000);
  EXPECT_NE(published("d", 10).find("rejected memory-budget"), std::string::npos);
}

TEST_P(MemoryLevelsTest, RoomComesWhenWhatWaitsIsDelivered) {
  for (int i = 0; i < 3; ++i) published("a", 9'000);
  EXPECT_NE(published("a", 10).find("rejected memory-budget"), std::string::npos);
  sub.credit(1, 1000);
  broker.run();
  broker.pass(300ms);
  EXPECT_EQ(sub.told().at(1).size(), 3U);
  EXPECT_NE(published("a", 10).find("accepted"), std::string::npos);
}

TEST_P(MemoryLevelsTest, WhoKeepsUpCostsNothing) {
  sub.credit(1, 1'000'000);
  broker.run();
  for (int i = 0; i < 100; ++i) {
    EXPECT_NE(published("a", 9'000).find("accepted=1"), std::string::npos) << i;
  }
}

// What grows within a turn counts within that turn: an admitted publish that comes to full memory
// is not queued where the ladder may lose it, and both sides are told.
TEST(MemoryWithinATurn, WhatWouldOverfillItIsTurnedAwayWhereLaddersAllow) {
  ShardHarness broker({.shards = 2, .memory_budget = kBudget});
  TestClient& pub = broker.connect(0, "pub");
  TestClient& sub = broker.connect(1, "sub");
  sub.subscribe({.id = 1, .filters = {"a"}, .overflow = "drop_oldest", .credit = 0});
  sub.subscribe({.id = 2, .filters = {"a"}, .overflow = "block", .credit = 0});
  broker.run();
  pub.publish("a", {"x"});
  broker.turn(0);  // admitted, and on its way to the other shard
  broker.budget()->tell(model::ShardId(0), {.held = kBudget});
  broker.turn(1);  // hears how much the first shard holds
  pub.publish("a", {"y"});
  broker.turn(0);
  broker.budget()->tell(model::ShardId(0), {.held = kBudget});
  broker.turn(1);
  broker.turn(0);
  const ReceiptRow& last = pub.receipts().back();
  EXPECT_EQ(last.last, 2U);
  EXPECT_EQ(last.receipt.status, wire::ReceiptStatus::kPartial);
  EXPECT_EQ(last.receipt.accepted, 1U);
  EXPECT_EQ(last.receipt.dropped, 1U);
  EXPECT_EQ(broker.metrics(1).copies_dropped[wire::GapReason::kSqueezed].value(), 1U);
}

TEST_P(MemoryTest, TheLargestQueueIsSqueezedAloneAndItsSubscriberToldByAGap) {
  sub.subscribe({.id = 1, .filters = {"much"}, .overflow = "drop_oldest", .credit = 0});
  sub.subscribe({.id = 2, .filters = {"little"}, .overflow = "drop_oldest", .credit = 0});
  broker.run();
  const std::uint64_t count = 750;
  for (std::uint64_t i = 0; i < count; ++i) published("much", std::string(20'000, 'x'));
  for (int i = 0; i < 50; ++i) published("little", std::string(20'000, 'x'));
  use(0.9);
  EXPECT_LT(broker.budget()->used(), broker.budget()->high());
  sub.credit(1, 10'000, 1U << 28);
  sub.credit(2, 10'000, 1U << 28);
  broker.run();
  EXPECT_EQ(sub.told().at(2).size(), 50U);
  const std::vector<Told>& told = sub.told().at(1);
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.front().reason, wire::GapReason::kSqueezed);
  EXPECT_GT(told.front().count, 100U);
  EXPECT_LT(told.front().count, 300U);
  EXPECT_EQ(told.size() - 1 + told.front().count, count);
  ballast = {};
  for (int i = 0; i < 100 && broker.budget()->ceiling() != flow::kNoCeiling; ++i) turn_all();
  EXPECT_EQ(broker.budget()->ceiling(), flow::kNoCeiling);
}

TEST_P(MemoryTest, NobodyIsSqueezedWhoHoldsLessThanAnEvenShare) {
  sub.subscribe({.id = 1, .filters = {"a"}, .overflow = "drop_oldest", .credit = 0});
  sub.subscribe({.id = 2, .filters = {"a"}, .overflow = "block", .credit = 0});
  broker.run();
  for (int i = 0; i < 40; ++i) published("a", std::string(20'000, 'x'));
  use(0.95);
  turn_all();
  sub.credit(1, 10'000, 1U << 28);
  sub.credit(2, 10'000, 1U << 28);
  broker.run();
  EXPECT_EQ(sub.told().at(1).size(), 40U);
  EXPECT_EQ(sub.told().at(2).size(), 40U);
}

TEST_P(MemoryTest, UnderSteadyPressureTheCeilingComesToRest) {
  for (std::uint32_t id = 1; id <= 4; ++id) {
    sub.subscribe({.id = id, .filters = {"a"}, .overflow = "drop_oldest", .credit = 0});
    sub.subscribe({.id = id + 4,
                   .filters = {"b" + std::to_string(id)},
                   .overflow = "drop_oldest",
                   .credit = 0});
  }
  broker.run();
  use(0.6);
  std::size_t moves = 0;
  std::uint64_t before = broker.budget()->ceiling();
  for (int i = 0; i < 3000; ++i) {
    pub.publish(i % 2 == 0 ? "a" : "b" + std::to_string(i / 2 % 4 + 1), {std::string(20'000, 'x')});
    broker.pass(1ms);
    const std::uint64_t ceiling = broker.budget()->ceiling();
    if (i >= 2000 && ceiling != before) ++moves;
    before = ceiling;
    EXPECT_LT(broker.budget()->used(), broker.budget()->publish_limit()) << i;
  }
  EXPECT_NE(before, flow::kNoCeiling);
  EXPECT_LE(moves, 1U);
}

TEST(MemoryWalk, TakesASmallPartOfTheTimeHoweverManyQueuesThereAre) {
  using shard::MemoryKeeper;
  EXPECT_EQ(MemoryKeeper::walk_pause(1), base::Duration(5ms));
  EXPECT_EQ(MemoryKeeper::walk_pause(5000), base::Duration(5ms));
  EXPECT_EQ(MemoryKeeper::walk_pause(100'000), base::Duration(100ms));
}

TEST_P(MemoryTest, WhatIsRememberedIsCounted) {
  const auto history = [this] {
    turn_all();
    return broker.metrics(GetParam() - 1U).memory_used[metrics::MemoryPart::kHistory].value();
  };
  EXPECT_EQ(history(), 0);
  sub.subscribe(
      {.id = 1, .filters = {"b"}, .overflow = "drop_newest", .max_messages = 1, .credit = 0});
  broker.run();
  published("b", "x");
  published("b", "y");
  const auto drops = history();
  EXPECT_GE(drops, static_cast<std::int64_t>(sizeof(shard::DropRecord)));
  for (std::uint32_t id = 2; id < 52; ++id) {
    sub.subscribe({.id = id, .filters = {"a." + std::string(200, 'f')}});
    sub.unsubscribe(id);
  }
  broker.run();
  const auto each = static_cast<std::int64_t>(sizeof(shard::EndedSubscription) + 200);
  EXPECT_GE(history(), drops + 50 * each);
  EXPECT_LE(history(), drops + 64 * static_cast<std::int64_t>(config::kEndedBytes));
}

TEST_P(MemoryTest, PartsSumUpToWhatIsUsed) {
  sub.subscribe({.id = 1, .filters = {"a.>"}, .credit = 0});
  pub.open_topic("a.b");
  broker.run();
  for (int i = 0; i < 100; ++i) published("a.b", std::string(1000, 'x'));
  turn_all();
  std::uint64_t sum = 0;
  for (std::size_t shard = 0; shard < broker.size(); ++shard) {
    const metrics::ShardMetrics& metrics = broker.metrics(shard);
    for (std::size_t part = 0; part < metrics.memory_used.size(); ++part) {
      EXPECT_GE(metrics.memory_used[part].value(), 0);
      sum += static_cast<std::uint64_t>(metrics.memory_used[part].value());
    }
  }
  EXPECT_EQ(sum, broker.budget()->used());
}

TEST_P(MemoryTest, EverythingIsGivenBackWhenClientsGo) {
  turn_all();
  TestClient& client = broker.connect(0);
  turn_all();
  const std::uint64_t before = broker.budget()->used();
  client.subscribe(
      {.id = 1, .filters = {"a.>"}, .overflow = "drop_oldest", .max_messages = 10, .credit = 0});
  client.open_topic("a.b");
  broker.run();
  for (int i = 0; i < 100; ++i) published("a.b", std::string(1000, 'x'));
  turn_all();
  EXPECT_GT(broker.budget()->used(), before + 10'000);
  client.unsubscribe(1);
  broker.run();
  turn_all();
  // Topics and the open one stay known.
  EXPECT_LT(broker.budget()->used(), before + 600'000);
  client.vanish();
  broker.run();
  turn_all();
  EXPECT_LT(broker.budget()->used(), before + 600'000);
}

}  // namespace
}  // namespace sluice::testing
