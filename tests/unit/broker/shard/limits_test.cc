// What limits do to publishes: delay, refuse, or count them.

#include <gtest/gtest.h>

#include "broker/flow/limit_registry.h"
#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;
using model::LimitDirection;
using model::LimitEnforce;
using model::LimitLevel;

// The publisher is on the first shard, the subscriber on the last.
class Limits : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  Limits()
      : broker({.shards = GetParam()}),
        pub(broker.connect(0, "pub")),
        sub(broker.connect(GetParam() - std::size_t{1}, "sub")) {
    sub.subscribe({.filters = {">"}});
    broker.run();
    sub.heard();
  }

  void set(const model::LimitSpec& spec) {
    const base::Status done = registry.set(spec, broker.clock().now());
    ASSERT_TRUE(done) << done.error().message();
    broker.set_limits(registry.table());
  }
  void remove(std::string_view name) {
    ASSERT_TRUE(registry.remove(name, broker.clock().now()));
    broker.set_limits(registry.table());
  }
  flow::LimitRow row(std::string_view name) {
    return registry.rows(name, 10, broker.clock().now()).at(0);
  }
  std::string published(std::string_view topic, const PublishOptions& options) {
    pub.publish(topic, options);
    broker.run();
    return pub.heard();
  }
  std::uint64_t soon(base::Duration time) {
    return base::to_wire(broker.clock().wall_now() + time);
  }

  flow::LimitRegistry registry{16, 1000};
  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

INSTANTIATE_TEST_SUITE_P(Shards, Limits, ::testing::Values(1, 3));

TEST_P(Limits, RefuseAndSayWhichOfWhomAndWhenToRetry) {
  set({.name = "few",
       .messages_per_second = 10,
       .burst_messages = 2,
       .enforce = LimitEnforce::kReject});
  EXPECT_EQ(published("a", {.payloads = {"1", "2"}}),
            "RECEIPT 1 accepted messages=2 matched=2 accepted=2\n");
  EXPECT_EQ(published("a", {.payloads = {"3"}}), "RECEIPT 2 rejected rate-limited messages=1\n");
  const ReceiptRow& refused = pub.receipts().back();
  EXPECT_EQ(refused.receipt.retry_after_ms, 100U);
  EXPECT_EQ(refused.text,
            "limit few of node node: 10 messages/s, 0 of 2 messages left; "
            "there is room in 100 ms");
  broker.pass(99ms);
  EXPECT_EQ(published("a", {.payloads = {"3"}}), "RECEIPT 3 rejected rate-limited messages=1\n");
  broker.pass(1ms);
  EXPECT_EQ(published("a", {.payloads = {"3"}}),
            "RECEIPT 4 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a 1 2\nDELIVER 1 #3 a 3\n");
  EXPECT_EQ(row("few").counts.refused_messages, 2U);
  EXPECT_EQ(row("few").counts.passed_messages, 3U);
}

TEST_P(Limits, DelayAWindowUntilItIsDueAndNothingElse) {
  set({.name = "slow",
       .level = LimitLevel::kTopic,
       .match = "slow.>",
       .messages_per_second = 10,
       .burst_messages = 1});
  for (const char* topic : {"slow.a", "fast"}) pub.open_topic(topic);
  broker.run();
  pub.heard();
  for (int i = 0; i < 3; ++i) pub.publish_open("slow.a", {.payloads = {"s"}});
  pub.publish_open("fast", {.payloads = {"f"}});
  broker.run();
  EXPECT_EQ(pub.heard(),
            "RECEIPT 1 accepted messages=1 matched=1 accepted=1\n"
            "RECEIPT 4 accepted messages=1 matched=1 accepted=1\n");
  pub.say(wire::Ping{7}, 1);
  broker.run();
  EXPECT_EQ(pub.heard(), "PONG 7\n");
  broker.pass(99ms);
  EXPECT_EQ(pub.heard(), "");
  broker.pass(1ms);
  EXPECT_EQ(pub.heard(), "RECEIPT 2 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(broker.shard(0).publishes_pending(), 1U);
  broker.pass(100ms);
  EXPECT_EQ(pub.heard(), "RECEIPT 3 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_TRUE(broker.idle());
  EXPECT_EQ(row("slow").counts.delayed_messages, 2U);
}

TEST_P(Limits, LetCreditAndDeliveriesGoOnWhileAPublisherWaits) {
  TestClient& other = broker.connect(0, "other");
  pub.subscribe({.id = 7, .filters = {"news"}, .credit = 1});
  broker.run();
  set({.name = "slow", .level = LimitLevel::kConnection, .match = "pub", .messages_per_second = 1});
  published("a", {.payloads = {"1"}});
  published("a", {.payloads = {"2"}});
  for (int i = 0; i < 3; ++i) other.publish("news", {"n"});
  broker.run();
  EXPECT_EQ(pub.told().at(7).size(), 1U);
  pub.credit(7, 2);
  broker.run();
  EXPECT_EQ(pub.told().at(7).size(), 3U);
  EXPECT_EQ(broker.shard(0).publishes_pending(), 1U);
}

TEST_P(Limits, HaveADrainWaitForWhatTheyHoldBack) {
  set({.name = "slow", .messages_per_second = 1, .burst_messages = 1});
  published("a", {.payloads = {"1"}});
  published("a", {.payloads = {"2"}});
  pub.heard();
  broker.shard(0).start_drain(5s);
  EXPECT_FALSE(broker.shard(0).is_drained());
  broker.pass(1s);
  EXPECT_EQ(sub.told().at(1).size(), 2U);
  EXPECT_TRUE(broker.idle());
}

TEST_P(Limits, RefuseADelayThatWouldOutlastTheDeadlineAndChargeNothing) {
  set({.name = "slow", .messages_per_second = 10, .burst_messages = 1});
  EXPECT_EQ(published("a", {.payloads = {"1"}}),
            "RECEIPT 1 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(published("a", {.payloads = {"2"}, .deadline_ns = soon(50ms)}),
            "RECEIPT 2 expired deadline-exceeded messages=1\n");
  EXPECT_NE(pub.receipts().back().text.find("limit slow"), std::string::npos);
  EXPECT_EQ(published("a", {.payloads = {"3"}, .deadline_ns = soon(150ms)}), "");
  broker.pass(100ms);
  EXPECT_EQ(pub.heard(), "RECEIPT 3 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(row("slow").counts.refused_messages, 1U);
}

TEST_P(Limits, ObserveCountsAndLetsPass) {
  set({.name = "seen",
       .level = LimitLevel::kUser,
       .match = "anonymous",
       .messages_per_second = 10,
       .burst_messages = 2,
       .enforce = LimitEnforce::kObserve});
  for (int i = 0; i < 5; ++i) published("a", {.payloads = {"m"}});
  EXPECT_EQ(pub.receipts().back().receipt.status, wire::ReceiptStatus::kAccepted);
  EXPECT_EQ(row("seen").counts.observed_messages, 3U);
  EXPECT_EQ(row("seen").counts.passed_messages, 5U);
  EXPECT_EQ(row("seen").busiest.at(0).key, "anonymous");
}

TEST_P(Limits, ChargeAllThatMatchOrNone) {
  set({.name = "wide",
       .messages_per_second = 100,
       .burst_messages = 100,
       .enforce = LimitEnforce::kReject});
  set({.name = "narrow",
       .level = LimitLevel::kConnection,
       .match = "pub",
       .bytes_per_second = 10,
       .burst_bytes = 10,
       .enforce = LimitEnforce::kReject});
  EXPECT_EQ(published("a", {.payloads = {std::string(100, 'x')}}),
            "RECEIPT 1 accepted messages=1 matched=1 accepted=1\n")
      << "more than the burst passes while the bucket is full";
  const auto before = *row("wide").busiest.at(0).messages_left;
  for (int i = 0; i < 5; ++i) published("a", {.payloads = {"x"}});
  EXPECT_EQ(*row("wide").busiest.at(0).messages_left, before);
  EXPECT_EQ(row("narrow").counts.refused_messages, 5U);
  EXPECT_LT(*row("narrow").busiest.at(0).bytes_left, 0);
}

TEST_P(Limits, AreSharedByAllShards) {
  TestClient& other = broker.connect(GetParam() - std::size_t{1}, "other");
  set({.name = "topic",
       .level = LimitLevel::kTopic,
       .messages_per_second = 10,
       .burst_messages = 4,
       .enforce = LimitEnforce::kReject});
  std::uint64_t accepted = 0;
  for (int i = 0; i < 5; ++i) {
    published("a", {.payloads = {"p"}});
    other.publish("a", {"o"});
    broker.run();
    for (TestClient* client : {&pub, &other}) {
      accepted += client->receipts().back().receipt.accepted;
    }
  }
  EXPECT_EQ(accepted, 4U);
  EXPECT_EQ(row("topic").buckets, 1U);
}

TEST_P(Limits, KeepTheOrderOfAWindow) {
  set({.name = "big",
       .level = LimitLevel::kTopic,
       .match = "slow",
       .messages_per_second = 10,
       .burst_messages = 1});
  // By name, so that both topics share a window.
  for (int i = 0; i < 4; ++i) {
    pub.publish("slow", {"s" + std::to_string(i)});
    pub.publish("fast", {"f" + std::to_string(i)});
  }
  broker.run();
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 slow s0\nDELIVER 1 #2 fast f0\n");
  broker.pass(100ms);
  EXPECT_EQ(sub.heard(), "DELIVER 1 #3 slow s1\nDELIVER 1 #4 fast f1\n");
  broker.pass(200ms);
  EXPECT_EQ(sub.told().at(1).size(), 8U);
  EXPECT_TRUE(broker.idle());
}

TEST_P(Limits, MayChangeWhilePublishesWait) {
  set({.name = "slow", .messages_per_second = 1, .burst_messages = 1});
  for (int i = 0; i < 4; ++i) published("a", {.payloads = {"m"}});
  EXPECT_EQ(sub.told().at(1).size(), 1U);
  set({.name = "slow", .messages_per_second = 100, .burst_messages = 1});
  broker.pass(10ms);
  EXPECT_EQ(sub.told().at(1).size(), 2U) << "what waits is charged by the new rate";
  remove("slow");
  broker.run();
  EXPECT_EQ(sub.told().at(1).size(), 4U) << "and by none when there is none";
  EXPECT_TRUE(broker.idle());
  EXPECT_EQ(broker.shard(0).core().limiting, nullptr);
}

// What the first one waits for are the shards, so that no limit holds the window itself.
TEST_P(Limits, MayChangeWhilePublishesWaitBehindOneThatIsAgreedOn) {
  sub.subscribe({.id = 2, .filters = {">"}, .overflow = "reject"});
  set({.name = "slow", .messages_per_second = 1, .burst_messages = 1});
  for (int i = 0; i < 3; ++i) pub.publish("a", {"x"});
  broker.turn(0);
  remove("slow");
  EXPECT_EQ(sub.told().at(1).size(), 3U) << "no limit is left to wait for";
  EXPECT_TRUE(broker.idle());
}

TEST_P(Limits, GiveBackWhatIsWithdrawn) {
  set({.name = "slow", .messages_per_second = 1, .burst_messages = 1});
  for (int i = 0; i < 3; ++i) published("a", {.payloads = {"m"}});
  pub.heard();
  wire::Cancel cancel;
  cancel.target = 2;
  cancel.name = "a";
  pub.say(cancel, 9);
  broker.run();
  EXPECT_EQ(pub.heard(), "CANCEL 2 withdrawn=1\nRECEIPT 2 cancelled canceled messages=1\n");
  EXPECT_EQ(*row("slow").busiest.at(0).messages_left, -1);
  broker.pass(2s);
  EXPECT_EQ(pub.heard(), "RECEIPT 3 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_TRUE(broker.idle());
}

TEST_P(Limits, GiveBackWhatLeavesWithItsConnection) {
  set({.name = "slow", .messages_per_second = 1, .burst_messages = 1});
  for (int i = 0; i < 5; ++i) published("a", {.payloads = {"m"}});
  EXPECT_EQ(*row("slow").busiest.at(0).messages_left, -4);
  pub.vanish();
  broker.run();
  EXPECT_EQ(*row("slow").busiest.at(0).messages_left, 0);
  EXPECT_TRUE(broker.idle());
  broker.pass(10s);
  EXPECT_EQ(sub.told().at(1).size(), 1U);
}

TEST_P(Limits, LetAClientThatHasEndedHaveItsReceipts) {
  set({.name = "slow", .messages_per_second = 10, .burst_messages = 1});
  for (int i = 0; i < 3; ++i) pub.publish("a", {"m"});
  pub.half_close();
  broker.run();
  EXPECT_FALSE(pub.gone());
  broker.pass(200ms);
  EXPECT_EQ(sub.told().at(1).size(), 3U);
  EXPECT_TRUE(pub.gone());
}

TEST_P(Limits, HoldBackNoMoreThanTheGrant) {
  set({.name = "slow", .messages_per_second = 1, .burst_messages = 1});
  const std::string payload(100'000, 'x');
  while (pub.window("") > payload.size() + 1000) published("a", {.payloads = {payload}});
  EXPECT_GT(broker.shard(0).publishes_pending(), 5U);
  const std::uint64_t held = broker.shard(0).publishes_pending();
  broker.pass(std::chrono::seconds(held));
  EXPECT_EQ(sub.told().at(1).size(), held + 1);
  EXPECT_GT(pub.window(""), std::uint64_t{1} << 20);
}

TEST_P(Limits, ChargeOfAnyRateAndNeverMore) {
  set({.name = "rate", .bytes_per_second = 100'000, .burst_bytes = 10'000});
  std::uint64_t offered = 0;
  for (int i = 0; i < 200; ++i) {
    if (pub.window("") > 3000) {
      pub.publish("a", {std::string(1500, 'x')});
      ++offered;
    }
    broker.pass(5ms);
    const double seconds =
        std::chrono::duration<double>(broker.clock().now().time_since_epoch()).count();
    ASSERT_LE(static_cast<double>(sub.told().at(1).size()) * 1500, 100'000 * seconds + 10'000);
  }
  EXPECT_GT(offered, 60U);
  EXPECT_GT(sub.told().at(1).size(), 60U) << "and it does use what it may";
}

}  // namespace
}  // namespace sluice::testing
