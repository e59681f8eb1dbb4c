// What a full queue does, as publisher and subscriber see it, on one shard and across shards.

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

class Ladder : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  Ladder()
      : broker({.shards = GetParam()}),
        pub(broker.connect(0, "pub")),
        sub(broker.connect(GetParam() - std::size_t{1}, "sub")) {}

  void subscribe(std::string overflow, std::uint32_t max_messages, std::uint64_t credit = 0) {
    sub.subscribe({.filters = {"a"},
                   .overflow = std::move(overflow),
                   .max_messages = max_messages,
                   .credit = credit});
    broker.run();
    ASSERT_EQ(sub.heard(), "SUBSCRIBED 1 next=1\n");
  }
  std::string published(std::vector<std::string> payloads) {
    pub.publish("a", {.payloads = std::move(payloads)});
    broker.run();
    return pub.heard();
  }
  std::string told_after_credit() {
    sub.credit(1, 1000);
    broker.run();
    return sub.heard();
  }

  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

INSTANTIATE_TEST_SUITE_P(Shards, Ladder, ::testing::Values(1, 2));

TEST_P(Ladder, PressureTellsHowFullTheQueueIsInMessages) {
  subscribe("drop_oldest", 4);
  const auto pressure = [&] {
    published({"x"});
    return int{pub.receipts().back().receipt.pressure};
  };
  EXPECT_EQ(pressure(), 0) << "less than half is none";
  EXPECT_EQ(pressure(), 127);
  EXPECT_EQ(pressure(), 191);
  EXPECT_EQ(pressure(), 255);
}

TEST_P(Ladder, PressureTellsHowFullTheQueueIsInBytes) {
  sub.subscribe({.filters = {"a"}, .overflow = "block", .max_bytes = 8 << 10, .credit = 0});
  broker.run();
  const auto pressure = [&] {
    published({std::string(2000, 'x')});
    return pub.receipts().empty() ? -1 : int{pub.receipts().back().receipt.pressure};
  };
  EXPECT_EQ(pressure(), 0);
  EXPECT_NEAR(pressure(), 132, 3);
  EXPECT_NEAR(pressure(), 199, 3);
  pressure();  // it does not fit, and its receipt comes when it does
  told_after_credit();
  EXPECT_EQ(pub.receipts().back().receipt.pressure, 255);
}

TEST_P(Ladder, DropOldestMakesRoomAndTellsAGapInPlace) {
  subscribe("drop_oldest", 3);
  EXPECT_EQ(published({"1", "2", "3"}), "RECEIPT 1 accepted messages=3 matched=3 accepted=3\n");
  EXPECT_EQ(published({"4", "5"}), "RECEIPT 2 accepted messages=2 matched=2 accepted=2\n");
  EXPECT_EQ(told_after_credit(),
            "GAP 1 #1-2 2 dropped_oldest\nDELIVER 1 #3 a 3\nDELIVER 1 #4 a 4 5\n");
}

TEST_P(Ladder, DropNewestTellsThePublisherAndAGapInPlace) {
  subscribe("drop_newest", 2);
  EXPECT_EQ(published({"1", "2", "3"}),
            "RECEIPT 1 partial messages=3 matched=3 accepted=2 dropped=1 [sub#1 1 "
            "dropped_newest]\n");
  EXPECT_EQ(told_after_credit(), "DELIVER 1 #1 a 1 2\nGAP 1 #3-3 1 dropped_newest\n");
  EXPECT_EQ(published({"4"}), "RECEIPT 2 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(sub.heard(), "DELIVER 1 #4 a 4\n");
}

TEST_P(Ladder, RejectRefusesThePublishForEverybody) {
  subscribe("reject", 2);
  sub.subscribe({.id = 2, .filters = {"a"}});
  broker.run();
  sub.heard();
  EXPECT_EQ(published({"1"}), "RECEIPT 1 accepted messages=1 matched=2 accepted=2\n");
  sub.heard();
  const std::string refused = published({"2", "3"});
  EXPECT_EQ(refused.find("RECEIPT 2 rejected queue-full"), 0U) << refused;
  EXPECT_GT(pub.receipts().back().receipt.retry_after_ms, 0U);
  EXPECT_EQ(sub.heard(), "");
  EXPECT_EQ(published({"4"}), "RECEIPT 3 accepted messages=1 matched=2 accepted=2\n");
  EXPECT_EQ(sub.heard(), "DELIVER 2 #2 a 4\n");
  EXPECT_EQ(told_after_credit(), "DELIVER 1 #1 a 1\nDELIVER 1 #2 a 4\n");
}

TEST_P(Ladder, RejectDoesNotAskToRetryWhatCanNeverFit) {
  subscribe("reject", 2);
  const std::string refused = published({"1", "2", "3"});
  EXPECT_EQ(refused.find("RECEIPT 1 rejected message-too-large"), 0U) << refused;
  EXPECT_NE(refused.find("[sub#1 3 message-too-large]"), std::string::npos) << refused;
  EXPECT_EQ(pub.receipts().back().receipt.retry_after_ms, 0U);
  EXPECT_EQ(published({"1", "2"}), "RECEIPT 2 accepted messages=2 matched=2 accepted=2\n");
}

TEST_P(Ladder, BlockHoldsTheReceiptUntilThereIsRoom) {
  subscribe("block", 1);
  EXPECT_EQ(published({"1"}), "RECEIPT 1 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(published({"2"}), "");
  EXPECT_EQ(published({"3"}), "");
  broker.pass(10s);
  EXPECT_EQ(pub.heard(), "");
  EXPECT_EQ(told_after_credit(), "DELIVER 1 #1 a 1\nDELIVER 1 #2 a 2\nDELIVER 1 #3 a 3\n");
  EXPECT_EQ(pub.heard(), "RECEIPT 2-3 accepted messages=2 matched=2 accepted=2\n");
}

TEST_P(Ladder, BlockGivesUpAfterItsTimeAndTakesTheNextStep) {
  subscribe("block:100ms,drop_newest", 1);
  published({"1"});
  EXPECT_EQ(published({"2"}), "");
  broker.pass(99ms);
  EXPECT_EQ(pub.heard(), "");
  broker.pass(2ms);
  EXPECT_EQ(
      pub.heard(),
      "RECEIPT 2 rejected not-taken messages=1 matched=1 dropped=1 [sub#1 1 dropped_newest]\n");
  EXPECT_EQ(told_after_credit(), "DELIVER 1 #1 a 1\nGAP 1 #2-2 1 dropped_newest\n");
}

TEST_P(Ladder, BlockThenDropOldestDisplacesWhatWasThere) {
  subscribe("block:100ms,drop_oldest", 1);
  published({"1"});
  EXPECT_EQ(published({"2"}), "");
  broker.pass(101ms);
  EXPECT_EQ(pub.heard(), "RECEIPT 2 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(told_after_credit(), "GAP 1 #1-1 1 dropped_oldest\nDELIVER 1 #2 a 2\n");
}

TEST_P(Ladder, BlockEndsAtTheDeadlineOfThePublish) {
  subscribe("block", 1);
  published({"1"});
  pub.publish("a",
              {.payloads = {"2"}, .deadline_ns = base::to_wire(broker.clock().wall_now() + 50ms)});
  broker.run();
  EXPECT_EQ(pub.heard(), "");
  broker.pass(51ms);
  EXPECT_EQ(
      pub.heard(),
      "RECEIPT 2 expired deadline-exceeded messages=1 matched=1 dropped=1 [sub#1 1 expired]\n");
  EXPECT_EQ(told_after_credit(), "DELIVER 1 #1 a 1\nGAP 1 #2-2 1 expired\n");
}

// No time to retry after: it fits no better then.
TEST_P(Ladder, AMessageTooLargeForAllIsRejectedForGood) {
  sub.subscribe({.id = 1, .filters = {"a"}, .overflow = "drop_newest", .max_bytes = 4096});
  broker.run();
  published({std::string(10000, 'x')});
  const wire::Receipt& receipt = pub.receipts().back().receipt;
  EXPECT_EQ(receipt.status, wire::ReceiptStatus::kRejected);
  EXPECT_EQ(receipt.reason, static_cast<std::uint16_t>(base::ErrorCode::kMessageTooLarge));
  EXPECT_EQ(receipt.retry_after_ms, 0U);
}

TEST_P(Ladder, DisconnectClosesWithNumbersAndTellsThePublisher) {
  subscribe("disconnect", 1);
  published({"1"});
  EXPECT_EQ(published({"2"}),
            "RECEIPT 2 rejected not-taken messages=1 matched=1 dropped=1 [sub#1 1 disconnected]\n");
  EXPECT_EQ(sub.heard(), "ERROR slow-consumer closes\nCLOSED\n");
  EXPECT_EQ(broker.sink().closed, 1U);
  EXPECT_TRUE(broker.idle());
}

// One push ends a connection while another subscription of it holds the same publish back.
TEST_P(Ladder, DisconnectBesideABlockOfTheSameClientSettlesBoth) {
  subscribe("disconnect", 1);
  sub.subscribe({.id = 2, .filters = {"a"}, .overflow = "block", .max_messages = 1, .credit = 0});
  broker.run();
  EXPECT_EQ(published({"1"}), "RECEIPT 1 accepted messages=1 matched=2 accepted=2\n");
  const std::string receipt = published({"2"});
  EXPECT_EQ(receipt.find("RECEIPT 2 rejected not-taken messages=1 matched=2 dropped=2"), 0U)
      << receipt;
  EXPECT_TRUE(sub.gone());
  EXPECT_TRUE(broker.idle());
}

TEST_P(Ladder, UnsubscribingSettlesWhatWaits) {
  subscribe("block", 1);
  published({"1"});
  EXPECT_EQ(published({"2"}), "");
  sub.unsubscribe(1);
  broker.run();
  EXPECT_EQ(sub.heard(), "UNSUBSCRIBED 1 matched=2 discarded=2\n");
  EXPECT_EQ(pub.heard(),
            "RECEIPT 2 rejected not-taken messages=1 matched=1 dropped=1 [sub#1 1 disconnected]\n");
}

TEST_P(Ladder, NeedAllIsRefusedByAnyFullQueueAndThenTakesNothing) {
  subscribe("drop_oldest", 1);
  sub.subscribe({.id = 2, .filters = {"a"}});
  broker.run();
  published({"1"});
  sub.heard();
  pub.publish("a", {.payloads = {"2"}, .need = {.accept_all = true}});
  broker.run();
  const std::string refused = pub.heard();
  EXPECT_EQ(refused.find("RECEIPT 2 rejected need-not-met"), 0U) << refused;
  EXPECT_EQ(sub.heard(), "");
  EXPECT_EQ(told_after_credit(), "DELIVER 1 #1 a 1\n");
  pub.publish("a", {.payloads = {"3"}, .need = {.accept_all = true}});
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 3 accepted messages=1 matched=2 accepted=2\n");
}

TEST_P(Ladder, ANeededNameMustBeThere) {
  sub.subscribe({.filters = {"a"}, .name = "audit"});
  broker.run();
  sub.heard();
  pub.publish("a", {.payloads = {"1"}, .need = {.names = {"audit"}}});
  pub.publish("a", {.payloads = {"2"}, .need = {.names = {"audit", "billing"}}});
  broker.run();
  const std::string heard = pub.heard();
  EXPECT_NE(heard.find("RECEIPT 1 accepted messages=1 matched=1 accepted=1\n"), std::string::npos);
  EXPECT_NE(heard.find("RECEIPT 2 rejected need-not-met"), std::string::npos) << heard;
  EXPECT_NE(heard.find("[billing 0 need-not-met]"), std::string::npos) << heard;
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a 1\n");
}

TEST_P(Ladder, OrderIsKeptBehindAPublishThatIsAgreedOn) {
  subscribe("reject", 100, 100);
  for (int i = 0; i < 5; ++i) {
    pub.publish("a", {.payloads = {std::to_string(i)}, .need = {.accept_all = i % 2 == 0}});
  }
  broker.run();
  std::string got;
  for (const Told& told : sub.told().at(1)) got += told.payload;
  EXPECT_EQ(got, "01234");
  EXPECT_TRUE(broker.idle());
}

TEST_P(Ladder, ASubscriberThatLeavesWhileRoomIsReservedLeavesNothingBehind) {
  subscribe("reject", 5);
  pub.publish("a", {"1"});
  broker.turn(0);
  broker.turn(broker.size() - 1);  // room is reserved there
  sub.vanish();
  broker.turn(broker.size() - 1);
  broker.run();
  EXPECT_EQ(pub.receipts().size(), 1U);
  EXPECT_TRUE(broker.idle());
}

// Room that another publish had reserved and gives up lets in what waited for it.
TEST(Reservation, ThatIsGivenUpLetsInWhatWaitsForIt) {
  ShardHarness broker({.shards = 3});
  TestClient& pub = broker.connect(0, "pub");
  TestClient& other = broker.connect(1, "other");
  TestClient& full = broker.connect(2, "full");
  other.subscribe({.filters = {"a"}, .overflow = "block", .max_messages = 1});
  full.subscribe({.filters = {"a"}, .overflow = "drop_newest", .max_messages = 1, .credit = 0});
  broker.run();
  pub.publish("a", {"1"});
  broker.run();
  pub.heard();
  other.heard();
  TestClient& local = broker.connect(1, "local");
  pub.publish("a", {.payloads = {"no"}, .need = {.accept_all = true}});
  broker.turn(0);
  broker.turn(1);  // room is reserved in the queue that blocks
  local.publish("a", {"2"});
  broker.turn(1);
  EXPECT_EQ(other.heard(), "");
  broker.run();
  EXPECT_EQ(other.heard(), "DELIVER 1 #2 a 2\n");
  EXPECT_TRUE(broker.shard(1).publishes_pending() == 0);
}

// Its turn comes when the other publish is made, not when the consumer next takes something.
TEST(Reservation, ThatIsUsedTellsThePublisherWhoseMessagesItLetsIn) {
  ShardHarness broker({.shards = 2});
  TestClient& pub = broker.connect(0, "pub");
  TestClient& local = broker.connect(1, "local");
  TestClient& sub = broker.connect(1, "sub");
  sub.subscribe({.filters = {"a"}, .overflow = "block", .max_messages = 2, .credit = 0});
  broker.run();
  pub.publish("a", {.payloads = {"1"}, .need = {.accept_all = true}});
  broker.turn(0);
  broker.turn(1);  // room is reserved there
  local.publish("a", {"2", "3"});
  broker.turn(1);
  EXPECT_TRUE(local.receipts().empty());
  broker.run();
  ASSERT_EQ(pub.receipts().size(), 1U);
  ASSERT_EQ(local.receipts().size(), 1U);
  EXPECT_EQ(local.receipts()[0].receipt.accepted, 2U);
}

TEST_P(Ladder, ASlowLinkPausesDeliveriesAndLosesNothing) {
  subscribe("drop_newest", 1000, 1000);
  sub.link().set_room(100);
  for (int i = 0; i < 50; ++i) pub.publish("a", {std::string(30000, 'x')});
  broker.run();
  EXPECT_LE(sub.link().unsent_bytes(), 2U << 20);
  sub.link().set_room(TestLink::kNoEnd);
  broker.run();
  EXPECT_EQ(sub.told().at(1).size(), 50U);
}

// A timer that is far off is not kept for a subscription that has gone; the invariants count them.
TEST_P(Ladder, SubscriptionsThatComeAndGoLeaveNoTimersBehind) {
  for (int i = 0; i < 200; ++i) {
    sub.subscribe({.filters = {"a"}, .max_lag_ns = 3'600'000'000'000, .credit = 0});
    broker.run();
    pub.publish("a", {"1"});
    broker.run();
    sub.unsubscribe(1);
    broker.run();
  }
  EXPECT_EQ(sub.accounts().at(1).discarded, 1U);
}

TEST_P(Ladder, MaxLagDropsWhatIsTooOld) {
  sub.subscribe({.filters = {"a"}, .max_lag_ns = 1'000'000, .credit = 0});
  broker.run();
  sub.heard();
  published({"1"});
  broker.pass(2ms);
  published({"2"});
  EXPECT_EQ(told_after_credit(), "GAP 1 #1-1 1 lagged\nDELIVER 1 #2 a 2\n");
}

}  // namespace
}  // namespace sluice::testing
