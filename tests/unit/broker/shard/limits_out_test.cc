// What limits do to deliveries: pace them, evenly and never beyond the burst.

#include <gtest/gtest.h>

#include "broker/flow/limit_registry.h"
#include "broker/shard/limiting.h"
#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;
using model::LimitDirection;
using model::LimitEnforce;
using model::LimitLevel;

model::LimitSpec out(LimitLevel level, std::uint64_t rate, std::uint64_t burst) {
  model::LimitSpec spec;
  spec.name = "out";
  spec.level = level;
  spec.direction = LimitDirection::kOut;
  spec.messages_per_second = rate;
  spec.burst_messages = burst;
  return spec;
}

// The publisher is on the first shard, subscribers on the last.
class LimitsOut : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  LimitsOut()
      : broker({.shards = GetParam()}), pub(broker.connect(0, "pub")), sub(subscriber("sub")) {}

  TestClient& subscriber(std::string_view name) {
    return broker.connect(GetParam() - std::size_t{1}, name);
  }
  void subscribe(TestClient& client, const SubscribeOptions& options) {
    client.subscribe(options);
    broker.run();
    client.heard();
  }
  void set(const model::LimitSpec& spec) {
    const base::Status done = registry.set(spec, broker.clock().now());
    ASSERT_TRUE(done) << done.error().message();
    broker.set_limits(registry.table());
  }
  void publish(std::string_view topic, int count) {
    for (int i = 0; i < count; ++i) pub.publish(topic, {"m"});
    broker.run();
  }
  std::size_t got(const TestClient& client, std::uint32_t id = 1) {
    const auto found = client.told().find(id);
    return found == client.told().end() ? 0 : found->second.size();
  }
  // Subscriptions of all shards that are said to wait for a limit.
  std::int64_t rate_limited() {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < broker.size(); ++i) {
      constexpr auto kState = static_cast<std::size_t>(model::LimitedBy::kRateLimited);
      sum += broker.metrics(i).limited_by_now[kState].value();
    }
    return sum;
  }
  flow::LimitRow row() { return registry.rows("out", 10, broker.clock().now()).at(0); }

  flow::LimitRegistry registry{16, 1000};
  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

INSTANTIATE_TEST_SUITE_P(Shards, LimitsOut, ::testing::Values(1, 3));

class LimitsOutAtAnyLevel : public ::testing::TestWithParam<LimitLevel> {};
INSTANTIATE_TEST_SUITE_P(Levels, LimitsOutAtAnyLevel,
                         ::testing::Values(LimitLevel::kNode, LimitLevel::kListener,
                                           LimitLevel::kUser, LimitLevel::kConnection,
                                           LimitLevel::kTopic, LimitLevel::kSubscription));

TEST_P(LimitsOutAtAnyLevel, PaceDeliveriesEvenly) {
  ShardHarness broker;
  TestClient& pub = broker.connect(0, "pub");
  TestClient& sub = broker.connect(0, "sub");
  sub.subscribe({.filters = {">"}, .name = "s"});
  flow::LimitRegistry registry(16, 1000);
  ASSERT_TRUE(registry.set(out(GetParam(), 100, 5), broker.clock().now()));
  broker.set_limits(registry.table());
  pub.publish("a", PublishOptions{.payloads = std::vector<std::string>(50, "m")});
  broker.run();
  EXPECT_EQ(sub.told().at(1).size(), 5U) << "the burst";
  EXPECT_EQ(pub.heard(), "RECEIPT 1 accepted messages=50 matched=50 accepted=50\n");
  for (std::size_t i = 1; i <= 45; ++i) {
    broker.pass(10ms);
    ASSERT_EQ(sub.told().at(1).size(), 5 + i) << "one by one, in even steps";
  }
  EXPECT_EQ(registry.rows("out", 1, broker.clock().now()).at(0).counts.delayed_messages, 45U);
  EXPECT_TRUE(broker.idle());
}

TEST_P(LimitsOut, HoldOnlyTheSubscriptionThatTheyAreOf) {
  model::LimitSpec spec = out(LimitLevel::kSubscription, 10, 1);
  spec.match = "slow";
  subscribe(sub, {.id = 1, .filters = {"a"}, .name = "slow"});
  subscribe(sub, {.id = 2, .filters = {"a"}, .name = "fast"});
  set(spec);
  publish("a", 5);
  EXPECT_EQ(got(sub, 1), 1U);
  EXPECT_EQ(got(sub, 2), 5U);
  sub.say(wire::Ping{3}, 1);
  broker.run();
  EXPECT_NE(sub.heard().find("PONG 3"), std::string::npos);
  broker.pass(400ms);
  EXPECT_EQ(got(sub, 1), 5U);
}

TEST_P(LimitsOut, HaveBytesPassByTheMessage) {
  model::LimitSpec spec = out(LimitLevel::kConnection, 0, 0);
  spec.bytes_per_second = 10'000;
  spec.burst_bytes = 2'000;
  subscribe(sub, {.filters = {"a"}});
  set(spec);
  pub.publish("a", PublishOptions{.payloads = std::vector<std::string>(20, std::string(990, 'x'))});
  broker.run();
  EXPECT_EQ(got(sub), 2U) << "a slice is cut where the bucket ends";
  broker.pass(1s);
  EXPECT_GE(got(sub), 11U);
  EXPECT_LE(got(sub), 12U);
  broker.pass(1s);
  EXPECT_EQ(got(sub), 20U);
}

TEST_P(LimitsOut, LetAMessageLargerThanTheBurstPassAlone) {
  model::LimitSpec spec = out(LimitLevel::kConnection, 0, 0);
  spec.bytes_per_second = 1'000;
  spec.burst_bytes = 100;
  subscribe(sub, {.filters = {"a"}});
  set(spec);
  for (int i = 0; i < 3; ++i) pub.publish("a", {std::string(500, 'x')});
  broker.run();
  EXPECT_EQ(got(sub), 1U);
  broker.pass(400ms);
  EXPECT_EQ(got(sub), 1U);
  broker.pass(150ms);
  EXPECT_EQ(got(sub), 2U);
}

TEST_P(LimitsOut, LetGapsPass) {
  subscribe(sub, {.filters = {"a"}, .overflow = "drop_oldest", .max_messages = 3});
  set(out(LimitLevel::kSubscription, 10, 1));
  publish("a", 1);
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a m\n");
  for (int i = 0; i < 4; ++i) publish("a", 1);
  EXPECT_EQ(sub.heard(), "GAP 1 #2-2 1 dropped_oldest\n") << "at once";
  for (int i = 0; i < 4; ++i) publish("a", 1);
  EXPECT_EQ(sub.heard(), "") << "and then in one piece";
  broker.pass(100ms);
  EXPECT_EQ(sub.heard(), "GAP 1 #3-6 4 dropped_oldest\nDELIVER 1 #7 a m\n");
}

TEST_P(LimitsOut, AreToldAsWhatLimitsTheSubscription) {
  subscribe(sub, {.filters = {"a"}});
  set(out(LimitLevel::kUser, 10, 1));
  publish("a", 3);
  shard::Shard& home = broker.shard(GetParam() - std::size_t{1});
  const auto status = home.status(10);
  ASSERT_EQ(status.subscription_list.size(), 1U);
  EXPECT_EQ(got(sub), 1U);
  const auto& limited = broker.metrics(GetParam() - std::size_t{1}).limited_by_now;
  EXPECT_EQ(limited[static_cast<std::size_t>(model::LimitedBy::kRateLimited)].value(), 1);
  broker.pass(600ms);  // it had the last one after 200 ms, and a quarter of a second more is quiet
  home.status(10);
  EXPECT_EQ(limited[static_cast<std::size_t>(model::LimitedBy::kRateLimited)].value(), 0);
}

TEST_P(LimitsOut, AreToldAtTheMomentOfADeliveryToo) {
  subscribe(sub, {.filters = {"a"}, .overflow = "drop_oldest", .max_messages = 1});
  set(out(LimitLevel::kSubscription, 100, 1));
  shard::Shard& home = broker.shard(GetParam() - std::size_t{1});
  const auto& limited = broker.metrics(GetParam() - std::size_t{1}).limited_by_now;
  const auto& rate_limited = limited[static_cast<std::size_t>(model::LimitedBy::kRateLimited)];
  publish("a", 1);
  publish("a", 1);  // has to wait
  const std::size_t before = got(sub);
  for (int i = 0; i < 100; ++i) {
    home.status(10);
    ASSERT_EQ(rate_limited.value(), 1) << "step " << i << ", with " << got(sub) << " delivered";
    broker.pass(3ms);
    home.status(10);
    ASSERT_EQ(rate_limited.value(), 1) << "step " << i << ", with " << got(sub) << " delivered";
    if (i % 2 == 1) publish("a", 1);
  }
  EXPECT_GE(got(sub) - before, 25U);
  ASSERT_TRUE(registry.remove("out", broker.clock().now()));
  broker.set_limits(registry.table());
  publish("a", 1);
  home.status(10);
  EXPECT_EQ(rate_limited.value(), 0) << "without the limit nothing holds it back";
}

TEST_P(LimitsOut, PaceSharedSubscriptionsAtHomeAndAtTheMember) {
  for (const LimitLevel level : {LimitLevel::kSubscription, LimitLevel::kConnection}) {
    TestClient& member = subscriber("member");
    subscribe(member, {.filters = {"g"}, .group = "shared"});
    set(out(level, 10, 2));
    for (int i = 0; i < 3; ++i) {
      pub.publish("g", PublishOptions{.payloads = {"1", "2"}});
    }
    broker.run();
    EXPECT_EQ(got(member), 2U);
    EXPECT_EQ(rate_limited(), 1);
    broker.pass(100ms);
    EXPECT_EQ(got(member), 3U);
    EXPECT_EQ(rate_limited(), 1);
    broker.pass(300ms);
    EXPECT_EQ(got(member), 6U);
    broker.pass(2s);
    EXPECT_EQ(rate_limited(), 0);
    std::uint64_t sequence = 1;
    for (const Told& told : member.told().at(1)) EXPECT_EQ(told.sequence, sequence++);
    EXPECT_TRUE(broker.idle());
    member.vanish();
    broker.run();
  }
}

TEST_P(LimitsOut, GoOnAtOnceWhenTheyAreRemoved) {
  subscribe(sub, {.filters = {"a"}});
  set(out(LimitLevel::kNode, 1, 1));
  publish("a", 10);
  EXPECT_EQ(got(sub), 1U);
  ASSERT_TRUE(registry.remove("out", broker.clock().now()));
  broker.set_limits(registry.table());
  EXPECT_EQ(got(sub), 10U);
  EXPECT_TRUE(broker.idle());
}

TEST_P(LimitsOut, ObserveCountsWithoutHolding) {
  subscribe(sub, {.filters = {"a"}});
  model::LimitSpec spec = out(LimitLevel::kTopic, 10, 2);
  spec.enforce = LimitEnforce::kObserve;
  set(spec);
  publish("a", 10);
  EXPECT_EQ(got(sub), 10U);
  EXPECT_EQ(row().counts.observed_messages, 8U);
  EXPECT_EQ(row().counts.passed_messages, 10U);
}

TEST_P(LimitsOut, EndWithTheirConnection) {
  subscribe(sub, {.filters = {"a"}});
  set(out(LimitLevel::kConnection, 1, 1));
  publish("a", 10);
  sub.vanish();
  broker.run();
  EXPECT_TRUE(broker.idle());
  broker.pass(5s);
}

// Against the law itself, with credit, several subscriptions and slices of all sizes.
TEST_P(LimitsOut, NeverSendMoreThanRateAndBurst) {
  constexpr double kRate = 2000;
  constexpr double kBurst = 50;
  TestClient& second = subscriber("second");
  subscribe(sub, {.id = 1, .filters = {">"}});
  subscribe(sub, {.id = 2, .filters = {"a"}});
  subscribe(second, {.id = 3, .filters = {">"}, .credit = 100});
  const auto start = broker.clock().now();
  set(out(LimitLevel::kUser, static_cast<std::uint64_t>(kRate),
          static_cast<std::uint64_t>(kBurst)));
  for (int i = 1; i <= 300; ++i) {
    pub.publish(i % 3 == 0 ? "a" : "b",
                PublishOptions{.payloads = std::vector<std::string>(1 + i % 7, "m")});
    if (i % 10 == 0) second.credit(3, 50);
    broker.pass(std::chrono::microseconds(1700));
    const double seconds = std::chrono::duration<double>(broker.clock().now() - start).count();
    const double sent = static_cast<double>(got(sub, 1) + got(sub, 2) + got(second, 3));
    ASSERT_LE(sent, kRate * seconds + kBurst);
  }
  const double seconds = std::chrono::duration<double>(broker.clock().now() - start).count();
  EXPECT_GT(static_cast<double>(got(sub, 1) + got(sub, 2) + got(second, 3)),
            0.97 * kRate * seconds);
}

}  // namespace
}  // namespace sluice::testing
