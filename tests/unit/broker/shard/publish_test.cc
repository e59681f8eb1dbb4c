// What a publisher is told and a subscriber gets, in plain cases on one shard and on several.

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

// The publisher is on the first shard, the subscriber on the last.
class Publish : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  Publish()
      : broker({.shards = GetParam()}), pub(broker.connect(0, "pub")), sub(connect_last("sub")) {}

  TestClient& connect_last(std::string_view name) {
    return broker.connect(GetParam() - std::size_t{1}, name);
  }
  void subscribe(const SubscribeOptions& options) {
    sub.subscribe(options);
    broker.run();
    ASSERT_EQ(sub.heard(), "SUBSCRIBED " + std::to_string(options.id) + " next=1\n");
  }
  std::string published(std::string_view topic, const PublishOptions& options) {
    pub.publish(topic, options);
    broker.run();
    return pub.heard();
  }
  std::string published(std::string_view topic, std::vector<std::string> payloads) {
    return published(topic, PublishOptions{.payloads = std::move(payloads)});
  }
  std::uint64_t wall_in(base::Duration time) {
    return base::to_wire(broker.clock().wall_now() + time);
  }

  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

INSTANTIATE_TEST_SUITE_P(Shards, Publish, ::testing::Values(1, 2, 3));

TEST_P(Publish, ReachesEverySubscriptionThatMatchesAndNoOther) {
  subscribe({.id = 1, .filters = {"a.*"}});
  subscribe({.id = 2, .filters = {">", "a.b"}});
  subscribe({.id = 3, .filters = {"b"}});
  EXPECT_EQ(published("a.b", {"x", "y"}), "RECEIPT 1 accepted messages=2 matched=4 accepted=4\n");
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a.b x y\nDELIVER 2 #1 a.b x y\n");
}

TEST_P(Publish, WithoutSubscriptionsIsAcceptedByNobody) {
  EXPECT_EQ(published("a", {"x"}), "RECEIPT 1 accepted messages=1\n");
  EXPECT_EQ(pub.receipts().back().receipt.durability, wire::Durability::kNone);
}

TEST_P(Publish, ThatNeedsRespondersIsRejectedWhenThereAreNone) {
  const PublishOptions request{.payloads = {"x"}, .flags = wire::kPublishNeedResponders};
  EXPECT_EQ(published("a", request), "RECEIPT 1 rejected no-responders messages=1\n");
  subscribe({.filters = {"a"}});
  EXPECT_EQ(published("a", request), "RECEIPT 2 accepted messages=1 matched=1 accepted=1\n");
}

TEST_P(Publish, ReceiptsOfLikeOutcomeAreOneRange) {
  subscribe({.filters = {"a"}});
  for (int i = 0; i < 5; ++i) pub.publish("a", {"x"});
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 1-5 accepted messages=5 matched=5 accepted=5\n");
  pub.publish("b", {"x"});
  pub.publish("b", {"x"});
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 6-7 accepted messages=2\n");
}

TEST_P(Publish, GivesReceiptsAsTheirModeSays) {
  subscribe({.filters = {"a"}, .overflow = "drop_newest", .max_messages = 1, .credit = 0});
  EXPECT_EQ(published("a", {.payloads = {"1"}, .flags = wire::kPublishReceiptProblems}), "");
  EXPECT_EQ(published("a", {.payloads = {"2"}, .flags = wire::kPublishReceiptNone}), "");
  EXPECT_EQ(
      published("a", {.payloads = {"3"}, .flags = wire::kPublishReceiptProblems}),
      "RECEIPT 3 rejected not-taken messages=1 matched=1 dropped=1 [sub#1 1 dropped_newest]\n");
}

TEST_P(Publish, PastItsDeadlineIsExpired) {
  subscribe({.filters = {"a"}});
  EXPECT_EQ(published("a", {.payloads = {"x"}, .deadline_ns = wall_in(-1ns)}),
            "RECEIPT 1 expired deadline-exceeded messages=1\n");
  EXPECT_EQ(published("a", {.payloads = {"x"}, .deadline_ns = wall_in(1s)}),
            "RECEIPT 2 accepted messages=1 matched=1 accepted=1\n");
}

TEST_P(Publish, ThatNeedsADurabilityNotHereIsRejected) {
  EXPECT_EQ(published("a", {.payloads = {"x"}, .need = {.durability = wire::Durability::kDisk}}),
            "RECEIPT 1 rejected durability-unavailable messages=1\n");
  EXPECT_EQ(published("a", {.payloads = {"x"}, .need = {.durability = wire::Durability::kMemory}}),
            "RECEIPT 2 accepted messages=1\n");
}

TEST_P(Publish, NumbersMustRise) {
  pub.publish("a", {"x"});
  pub.say(wire::Publish{.topic = 1}, 1);
  broker.run();
  EXPECT_NE(pub.heard().find("closes"), std::string::npos);
  EXPECT_TRUE(pub.gone());
}

TEST_P(Publish, ToAnOpenTopicUsesItsOwnWindow) {
  subscribe({.filters = {"a"}});
  pub.open_topic("a");
  pub.open_topic("a");
  broker.run();
  EXPECT_EQ(pub.heard(), "TOPIC a\nTOPIC a again\n");
  const std::uint64_t named = pub.window("");
  pub.publish_open("a", {.payloads = {"x"}});
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 1 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(pub.window(""), named);
  EXPECT_LT(pub.window("a"), named);
}

TEST_P(Publish, ToAnIdThatWasNeverOpenedIsRefusedAndStays) {
  pub.publish("known", {"x"});
  broker.run();
  pub.heard();
  wire::BatchBuilder builder;
  builder.add(std::as_bytes(std::span("x", 1)));
  const auto batch = builder.finish({});
  pub.say(wire::Publish{.topic = 77, .batch = batch}, 2);
  pub.say_bytes(batch);
  pub.say(wire::Ping{5});
  broker.run();
  const std::string heard = pub.heard();
  EXPECT_NE(heard.find("ERROR unknown-topic-id stays\n"), std::string::npos) << heard;
  EXPECT_NE(heard.find("PONG 5\n"), std::string::npos) << heard;
}

TEST_P(Publish, WhoWantsNoReceiptIsToldOfABrokenRuleAtOnce) {
  pub.publish("$sys", {.payloads = {"x"}, .flags = wire::kPublishReceiptNone});
  broker.run();
  EXPECT_EQ(pub.heard(), "ERROR reserved-topic stays\n");
}

TEST_P(Publish, ReservedAndBadTopicsAreRefused) {
  EXPECT_NE(published("$sys", {"x"}).find("ERROR reserved-topic stays"), std::string::npos);
  EXPECT_NE(published("a..b", {"x"}).find("ERROR bad-topic stays"), std::string::npos);
  EXPECT_NE(published("a.*", {"x"}).find("rejected bad-topic"), std::string::npos);
}

TEST_P(Publish, WindowsAreGrantedAgainAsPublishesResolve) {
  subscribe({.filters = {"a"}});
  const std::uint64_t full = pub.window("");
  const std::string kilobytes(100000, 'x');
  for (int i = 0; i < 200; ++i) {
    ASSERT_GT(pub.window(""), kilobytes.size() + 200);
    pub.publish("a", {kilobytes});
    broker.run();
  }
  EXPECT_GE(pub.window("") * 4, full * 3 - 4);
}

TEST_P(Publish, BeyondTheWindowIsRefusedAndNothingIsLostToIt) {
  subscribe({.filters = {"a"}, .overflow = "block", .max_messages = 1, .credit = 0});
  const std::string big(500000, 'x');
  for (int i = 0; i < 5; ++i) pub.publish("a", {big});
  broker.run();
  const std::string heard = pub.heard();
  EXPECT_NE(heard.find("ERROR grant-exceeded stays\n"), std::string::npos) << heard;
  EXPECT_NE(heard.find("RECEIPT 5 rejected grant-exceeded messages=1\n"), std::string::npos);
  sub.credit(1, 100);
  broker.run();
  EXPECT_EQ(sub.told().at(1).size(), 4U);
  EXPECT_TRUE(broker.idle());
}

TEST_P(Publish, ACompressedBatchIsDeliveredInPartsUnderCredit) {
  subscribe({.filters = {"a"}, .credit = 2});
  const std::string payload(200, 'z');
  pub.publish("a", {.payloads = {payload, payload, payload, payload},
                    .compression = wire::Compression::kZstd});
  broker.run();
  EXPECT_EQ(sub.told().at(1).size(), 2U);
  sub.credit(1, 5);
  broker.run();
  EXPECT_EQ(sub.told().at(1).size(), 4U);
}

TEST_P(Publish, LargerThanADeliveryMayBeIsRefused) {
  subscribe({.filters = {"a"}});
  wire::BatchBuilder builder;
  const std::string payload((1U << 20) - 8 - 80 - 4 - 1, 'x');
  builder.add(std::as_bytes(std::span(payload)));
  const auto batch = builder.finish({});
  pub.publish("a", {"first"});
  broker.run();
  pub.open_topic("a");
  broker.run();
  pub.heard();
  sub.heard();
  pub.publish_open("a", {.payloads = {payload}});
  broker.run();
  EXPECT_EQ(pub.heard(),
            "ERROR message-too-large stays\n"
            "RECEIPT 2 rejected message-too-large messages=1\n");
}

TEST_P(Publish, AfterItsPublisherHasGoneIsStillDelivered) {
  subscribe({.filters = {"a"}});
  pub.publish("a", {"x"});
  broker.turn(0);
  pub.vanish();
  broker.run();
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a x\n");
  EXPECT_TRUE(broker.idle());
}

TEST_P(Publish, IsRefusedWhileTheBrokerDrains) {
  subscribe({.filters = {"a"}});
  for (std::size_t i = 0; i < broker.size(); ++i) broker.shard(i).start_drain(1s);
  broker.run();
  EXPECT_EQ(pub.heard(), "GOAWAY draining\n");
  EXPECT_EQ(published("a", {"x"}), "RECEIPT 1 rejected draining messages=1\n");
  TestClient& late = broker.connect_silently(0);
  broker.run();
  EXPECT_EQ(late.heard(), "REFUSED\n");
  EXPECT_TRUE(broker.shard(0).is_drained());
}

}  // namespace
}  // namespace sluice::testing
