// In which limited-by state a subscription or a publisher is, as its circumstances change.

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using model::LimitedBy;
using namespace std::chrono_literals;

class LimitedByStates : public ::testing::Test {
 protected:
  LimitedByStates() : pub(broker.connect(0, "pub")), sub(broker.connect(0, "sub")) {}

  void subscribe(const SubscribeOptions& options) {
    sub.subscribe(options);
    broker.run();
    sub.heard();
  }
  void publish(std::vector<std::string> payloads) {
    pub.publish_open("a", {.payloads = std::move(payloads)});
    broker.run();
  }
  void open() {
    pub.open_topic("a");
    broker.run();
  }
  // How many subscriptions or publishers the metrics have in a state.
  std::int64_t subscriptions(LimitedBy state) { return now(0, state); }
  std::int64_t publishers(LimitedBy state) { return now(1, state); }
  std::int64_t now(std::size_t kind, LimitedBy state) {
    return broker.metrics(0)
        .limited_by_now[kind * model::kLimitedByCount + static_cast<std::size_t>(state)]
        .value();
  }
  std::uint64_t spent_ms(std::size_t kind, LimitedBy state) {
    return broker.metrics(0)
               .limited_by[kind * model::kLimitedByCount + static_cast<std::size_t>(state)]
               .value() /
           1'000'000;
  }

  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

TEST_F(LimitedByStates, A_subscription_without_messages_is_idle) {
  subscribe({.filters = {"a"}});
  EXPECT_EQ(subscriptions(LimitedBy::kIdle), 1);
  broker.pass(10s);
  EXPECT_EQ(subscriptions(LimitedBy::kIdle), 1);
  EXPECT_NEAR(static_cast<double>(spent_ms(0, LimitedBy::kIdle)), 10'000, 300);
}

TEST_F(LimitedByStates, A_subscription_that_gets_messages_is_delivering_until_it_is_quiet) {
  open();
  subscribe({.filters = {"a"}});
  for (int i = 0; i < 20; ++i) {
    publish({"x"});
    EXPECT_EQ(subscriptions(LimitedBy::kDelivering), 1);
    EXPECT_EQ(publishers(LimitedBy::kDelivering), 1);
    broker.pass(100ms);
  }
  broker.pass(1s);
  EXPECT_EQ(subscriptions(LimitedBy::kIdle), 1);
  EXPECT_EQ(publishers(LimitedBy::kDelivering), 0);
  EXPECT_NEAR(static_cast<double>(spent_ms(0, LimitedBy::kDelivering)), 2'200, 400);
  EXPECT_NEAR(static_cast<double>(spent_ms(1, LimitedBy::kDelivering)), 2'200, 400);
}

TEST_F(LimitedByStates, A_subscription_without_credit_waits_for_it) {
  open();
  subscribe({.filters = {"a"}, .credit = 1});
  publish({"1"});
  EXPECT_EQ(subscriptions(LimitedBy::kDelivering), 1);
  publish({"2"});
  EXPECT_EQ(subscriptions(LimitedBy::kWaitingCredit), 1);
  broker.pass(5s);
  EXPECT_EQ(subscriptions(LimitedBy::kWaitingCredit), 1);
  sub.credit(1, 1);
  broker.run();
  EXPECT_EQ(subscriptions(LimitedBy::kDelivering), 1);
  EXPECT_NEAR(static_cast<double>(spent_ms(0, LimitedBy::kWaitingCredit)), 5'000, 10);
}

TEST_F(LimitedByStates, A_shared_subscription_waits_for_the_credit_of_any_member) {
  open();
  subscribe({.id = 1, .filters = {"a"}, .credit = 0, .group = "g"});
  subscribe({.id = 2, .filters = {"a"}, .credit = 0, .group = "g"});
  publish({"1"});
  EXPECT_EQ(subscriptions(LimitedBy::kWaitingCredit), 1);
  sub.credit(2, 5);
  broker.run();
  EXPECT_EQ(subscriptions(LimitedBy::kDelivering), 1);
  EXPECT_EQ(sub.told().at(2).size(), 1U);
}

TEST_F(LimitedByStates, A_peer_that_does_not_read_limits_by_its_tcp_window) {
  open();
  subscribe({.filters = {"a"}});
  sub.link().set_room(100);
  for (int i = 0; i < 20; ++i) publish({std::string(200'000, 'x')});
  EXPECT_EQ(subscriptions(LimitedBy::kTcpWindow), 1);
  broker.pass(3s);
  EXPECT_EQ(subscriptions(LimitedBy::kTcpWindow), 1);
  sub.link().set_room(TestLink::kNoEnd);
  broker.run();
  EXPECT_EQ(subscriptions(LimitedBy::kTcpWindow), 0);
  EXPECT_EQ(subscriptions(LimitedBy::kDelivering), 1);
  EXPECT_NEAR(static_cast<double>(spent_ms(0, LimitedBy::kTcpWindow)), 3'000, 10);
}

TEST_F(LimitedByStates, A_publisher_that_waits_for_a_full_queue_is_blocked_by_it) {
  open();
  subscribe(
      {.filters = {"a"}, .overflow = "block", .max_messages = 1, .credit = 0, .name = "slow"});
  publish({"1"});
  EXPECT_EQ(publishers(LimitedBy::kDelivering), 1);
  publish({"2"});
  publish({"3"});
  EXPECT_EQ(publishers(LimitedBy::kBlockedBy), 1);
  broker.pass(7s);
  EXPECT_EQ(publishers(LimitedBy::kBlockedBy), 1);
  sub.credit(1, 1);
  broker.run();
  EXPECT_EQ(publishers(LimitedBy::kBlockedBy), 1);
  sub.credit(1, 10);
  broker.run();
  EXPECT_EQ(publishers(LimitedBy::kBlockedBy), 0);
  EXPECT_NEAR(static_cast<double>(spent_ms(1, LimitedBy::kBlockedBy)), 7'000, 10);
}

TEST_F(LimitedByStates, Those_that_end_are_counted_no_more) {
  open();
  subscribe({.id = 1, .filters = {"a"}, .credit = 0});
  subscribe({.id = 2, .filters = {"a"}, .overflow = "block", .max_messages = 1, .credit = 0});
  publish({"1"});
  publish({"2"});
  EXPECT_EQ(subscriptions(LimitedBy::kWaitingCredit), 2);
  sub.unsubscribe(1);
  broker.run();
  EXPECT_EQ(subscriptions(LimitedBy::kWaitingCredit), 1);
  pub.vanish();
  sub.vanish();
  broker.run();
  for (std::size_t state = 0; state < model::kLimitedByCount; ++state) {
    EXPECT_EQ(subscriptions(static_cast<LimitedBy>(state)), 0) << state;
    EXPECT_EQ(publishers(static_cast<LimitedBy>(state)), 0) << state;
  }
}

// Each is in exactly one state, so the times of all add up to their age.
TEST_F(LimitedByStates, The_times_of_all_states_add_up) {
  open();
  subscribe({.filters = {"a"}, .credit = 3});
  for (int i = 0; i < 50; ++i) {
    publish({"x"});
    if (i % 7 == 0) sub.credit(1, 5);
    broker.pass(base::Duration(i * 13ms));
  }
  std::uint64_t sum = 0;
  for (std::size_t state = 0; state < model::kLimitedByCount; ++state) {
    sum += spent_ms(0, static_cast<LimitedBy>(state));
  }
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(
      broker.clock().now().time_since_epoch());
  EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(age.count()), 260);
}

}  // namespace
}  // namespace sluice::testing
