#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using model::LimitedBy;
using namespace std::chrono_literals;

class RehearsalTest : public ::testing::Test {
 protected:
  RehearsalTest() : pub(broker.connect(0, "pub")), sub(broker.connect(0, "sub")) {}

  void subscribe(std::string group = {}) {
    sub.subscribe({.filters = {"a"}, .name = group.empty() ? "s" : "", .group = std::move(group)});
    broker.run();
  }
  void publish(int count) {
    for (int i = 0; i < count; ++i) pub.publish("a", {"1", "2"});
    broker.run();
  }
  std::size_t told() { return sub.told().count(1) == 0 ? 0 : sub.told().at(1).size(); }
  LimitedBy state() { return broker.shard(0).status(10).subscription_list.at(0).limited_by; }
  shard::Rehearsals& rehearsals() { return broker.shard(0).rehearsals(); }

  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

TEST_F(RehearsalTest, One_message_goes_each_delay_until_the_time_is_over) {
  subscribe();
  EXPECT_EQ(rehearsals().slow("s", 1s, 10s).subscriptions, 1U);
  EXPECT_EQ(broker.sink().rehearsals, 1);
  publish(10);
  EXPECT_EQ(told(), 0U);
  EXPECT_EQ(state(), LimitedBy::kRateLimited);
  broker.pass(1001ms);
  EXPECT_EQ(told(), 1U);
  broker.pass(4s);
  EXPECT_EQ(told(), 5U);
  EXPECT_EQ(rehearsals().list().rehearsals.at(0).deliveries, 5U);
  broker.pass(6s);
  EXPECT_EQ(told(), 20U);
  EXPECT_EQ(broker.sink().rehearsals, 0);
  EXPECT_TRUE(rehearsals().list().rehearsals.empty());
}

TEST_F(RehearsalTest, A_shared_subscription_slows_down_as_a_whole) {
  subscribe("g");
  EXPECT_EQ(rehearsals().slow("g", 1s, 10s).subscriptions, 1U);
  publish(10);
  EXPECT_EQ(state(), LimitedBy::kRateLimited);
  broker.pass(3500ms);
  EXPECT_EQ(told(), 3U);
  broker.pass(10s);
  EXPECT_EQ(told(), 20U);
}

TEST_F(RehearsalTest, Stopping_ends_it_at_once) {
  subscribe();
  rehearsals().slow("s", 1h, 2h);
  publish(3);
  EXPECT_EQ(rehearsals().stop("s").subscriptions, 1U);
  broker.run();
  EXPECT_EQ(told(), 6U);
  EXPECT_EQ(broker.sink().rehearsals, 0);
  EXPECT_EQ(rehearsals().stop("s").subscriptions, 0U);
  EXPECT_EQ(rehearsals().slow("nobody", 1s, 1s).subscriptions, 0U);
}

TEST_F(RehearsalTest, A_subscriber_that_leaves_takes_its_rehearsal_along) {
  subscribe();
  rehearsals().slow("s", 1s, 10s);
  sub.unsubscribe(1);
  broker.run();
  EXPECT_TRUE(rehearsals().list().rehearsals.empty());
  broker.pass(11s);
}

TEST_F(RehearsalTest, There_are_only_so_many) {
  for (std::uint32_t id = 1; id <= shard::Rehearsals::kMax + 3; ++id) {
    sub.subscribe({.id = id, .filters = {"a"}, .name = "many"});
  }
  broker.run();
  const model::ControlResult result = rehearsals().slow("many", 1s, 1s);
  EXPECT_EQ(result.subscriptions, shard::Rehearsals::kMax + 3);
  EXPECT_EQ(result.refused, 3U);
  broker.pass(2s);
  EXPECT_EQ(broker.sink().rehearsals, 0);
}

TEST_F(RehearsalTest, A_paused_subscription_gets_nothing_until_it_is_resumed) {
  subscribe();
  EXPECT_EQ(rehearsals().pause("s", true).subscriptions, 1U);
  EXPECT_EQ(state(), LimitedBy::kPaused);
  publish(3);
  broker.pass(10s);
  EXPECT_EQ(told(), 0U);
  EXPECT_EQ(state(), LimitedBy::kPaused);
  rehearsals().pause("s", false);
  broker.run();
  EXPECT_EQ(told(), 6U);
}

}  // namespace
}  // namespace sluice::testing
