// What a deadline does before a copy is queued, and who a publisher is said to wait for.

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

// The publisher is on the first shard, the subscriber on the last.
class Deadline : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  Deadline()
      : broker({.shards = GetParam()}),
        pub(broker.connect(0, "pub")),
        sub(broker.connect(GetParam() - std::size_t{1}, "sub")) {}

  void subscribe(const SubscribeOptions& options) {
    sub.subscribe(options);
    broker.run();
    ASSERT_EQ(sub.heard(), "SUBSCRIBED " + std::to_string(options.id) + " next=1\n");
  }
  std::string published(const PublishOptions& options) {
    pub.publish("a", options);
    broker.run();
    return pub.heard();
  }
  std::uint64_t wall_in(base::Duration time) {
    return base::to_wire(broker.clock().wall_now() + time);
  }
  // Five messages a second leave a queue that holds plenty.
  void drain_slowly(std::uint32_t id) {
    published({.payloads = Names(40, "old")});
    for (int i = 0; i < 10; ++i) {
      sub.credit(id, 1);
      broker.pass(200ms);
    }
    sub.heard();
  }
  const shard::Connection& connection_of_pub() {
    const auto& connections = broker.shard(0).core().connections;
    for (const auto& [id, connection] : connections) {
      if (connection->client == "pub") return *connection;
    }
    throw std::logic_error("no publisher");
  }

  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

INSTANTIATE_TEST_SUITE_P(Shards, Deadline, ::testing::Values(1, 2));

TEST_P(Deadline, ACopyThatWouldWaitPastItIsRefusedAtOnce) {
  subscribe({.filters = {"a"}, .credit = 0});
  drain_slowly(1);
  EXPECT_EQ(published({.payloads = {"x"}, .deadline_ns = wall_in(3s)}),
            "RECEIPT 2 expired deadline-exceeded messages=1 matched=1 dropped=1 [sub#1 1 "
            "expired]\n");
  EXPECT_EQ(published({.payloads = {"x"}, .deadline_ns = wall_in(60s)}),
            "RECEIPT 3 accepted messages=1 matched=1 accepted=1\n");
}

TEST_P(Deadline, OnlyTheSubscriptionThatIsSlowIsRefused) {
  subscribe({.id = 1, .filters = {"a"}, .credit = 0});
  drain_slowly(1);
  subscribe({.id = 2, .filters = {"a"}});
  EXPECT_EQ(published({.payloads = {"x"}, .deadline_ns = wall_in(1s)}),
            "RECEIPT 2 partial messages=1 matched=2 accepted=1 dropped=1 [sub#1 1 expired]\n");
}

TEST_P(Deadline, WhatIsNeededInTimeIsRefusedAsAWhole) {
  subscribe({.id = 1, .filters = {"a"}, .credit = 0});
  drain_slowly(1);
  subscribe({.id = 2, .filters = {"a"}});
  PublishOptions options{.payloads = {"x"}, .deadline_ns = wall_in(1s)};
  options.need.accept_all = true;
  EXPECT_TRUE(published(options).starts_with("RECEIPT 2 expired deadline-exceeded"));
  EXPECT_EQ(sub.heard(), "");
}

TEST_P(Deadline, AQueueThatKeepsUpRefusesNothing) {
  subscribe({.filters = {"a"}});
  for (std::uint64_t number = 1; number <= 20; ++number) {
    EXPECT_TRUE(
        published({.payloads = {"x"}, .deadline_ns = wall_in(1ms)}).ends_with("accepted=1\n"));
    broker.pass(200ms);
  }
}

TEST_P(Deadline, APublisherThatWaitsKnowsForWhom) {
  subscribe({.id = 1,
             .filters = {"a"},
             .overflow = "block",
             .max_messages = 1,
             .credit = 0,
             .name = "slow"});
  published({.payloads = {"1"}});
  EXPECT_EQ(broker.shard(0).blockers(connection_of_pub(), 0), Names{});
  EXPECT_EQ(connection_of_pub().named.blocked, 0U);
  EXPECT_EQ(published({.payloads = {"2"}}), "");
  EXPECT_EQ(published({.payloads = {"3"}}), "");
  EXPECT_EQ(broker.shard(0).blockers(connection_of_pub(), 0), Names{"slow"});
  EXPECT_EQ(connection_of_pub().named.blocked, 2U);
  sub.credit(1, 2);
  broker.run();
  EXPECT_EQ(connection_of_pub().named.blocked, 0U);
  EXPECT_EQ(broker.shard(0).blockers(connection_of_pub(), 0), Names{});
}

TEST_P(Deadline, ARefusedPublisherIsToldWhenThereMayBeRoom) {
  subscribe({.filters = {"a"}, .overflow = "reject", .max_messages = 40, .credit = 0});
  EXPECT_EQ(published({.payloads = Names(40, "x")}),
            "RECEIPT 1 accepted messages=40 matched=40 accepted=40\n");
  published({.payloads = {"x"}});
  EXPECT_EQ(pub.receipts().back().receipt.retry_after_ms, 100U);  // nothing is known yet
  for (int i = 0; i < 10; ++i) {
    sub.credit(1, 1);
    broker.pass(200ms);
  }
  published({.payloads = Names(20, "x")});
  const std::uint32_t wait = pub.receipts().back().receipt.retry_after_ms;  // five a second
  EXPECT_GT(wait, 3000U);
  EXPECT_LT(wait, 5000U);
}

}  // namespace
}  // namespace sluice::testing
