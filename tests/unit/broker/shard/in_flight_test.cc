// What the socket has not taken yet counts against the queue, and as delivered once it has.

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

class InFlight : public ::testing::Test {
 protected:
  InFlight() : pub(broker.connect(0, "pub")), sub(broker.connect(0, "sub")) {}

  void subscribe(const SubscribeOptions& options) {
    sub.subscribe(options);
    broker.run();
    sub.heard();
  }
  std::string published(std::vector<std::string> payloads) {
    pub.publish("a", {.payloads = std::move(payloads)});
    broker.run();
    return pub.heard();
  }
  queue::Ledger ledger() {
    queue::Ledger found;
    const model::ShardStatus status = broker.shard(0).status(10);
    for (const model::SubscriptionStatus& row : status.subscription_list) {
      found.matched = row.matched;
      found.delivered = row.delivered;
      found.queued = row.queued;
      found.in_flight = row.in_flight;
    }
    return found;
  }

  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

TEST_F(InFlight, IsWhatTheSocketHasNotTaken) {
  subscribe({.filters = {"a"}});
  sub.link().set_room(0);
  published({"1", "2"});
  EXPECT_EQ(ledger().in_flight, 2U);
  EXPECT_EQ(ledger().delivered, 0U);
  sub.link().set_room(TestLink::kNoEnd);
  broker.run();
  EXPECT_EQ(ledger().in_flight, 0U);
  EXPECT_EQ(ledger().delivered, 2U);
}

TEST_F(InFlight, CountsAgainstTheBounds) {
  subscribe({.filters = {"a"}, .overflow = "drop_newest", .max_messages = 3});
  sub.link().set_room(0);
  published({"1", "2"});
  EXPECT_EQ(
      published({"3", "4"}),
      "RECEIPT 2 partial messages=2 matched=2 accepted=1 dropped=1 [sub#1 1 dropped_newest]\n");
  sub.link().set_room(TestLink::kNoEnd);
  broker.run();
  EXPECT_EQ(published({"5", "6", "7"}), "RECEIPT 3 accepted messages=3 matched=3 accepted=3\n");
}

TEST_F(InFlight, LetsABlockedPublisherGoOnOnceItIsTaken) {
  subscribe({.filters = {"a"}, .overflow = "block", .max_messages = 2});
  sub.link().set_room(0);
  published({"1", "2"});
  EXPECT_EQ(published({"3"}), "");
  sub.link().set_room(TestLink::kNoEnd);
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 2 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a 1 2\nDELIVER 1 #3 a 3\n");
}

TEST_F(InFlight, IsDiscardedWhenItsConnectionIsLost) {
  subscribe({.filters = {"a"}});
  sub.link().set_room(0);
  published({"1", "2"});
  sub.vanish();
  broker.run();
  EXPECT_EQ(broker.metrics(0).copies_discarded.value(), 2U);
  EXPECT_EQ(broker.metrics(0).copies_in_flight.value(), 0);
  EXPECT_EQ(broker.metrics(0).ledger_imbalance.value(), 0);
}

TEST_F(InFlight, IsDeliveredBeforeTheEndOfItsSubscriptionIsAnswered) {
  subscribe({.filters = {"a"}});
  sub.link().set_room(0);
  published({"1", "2"});
  sub.unsubscribe(1);
  broker.run();
  sub.link().set_room(TestLink::kNoEnd);
  broker.run();
  EXPECT_EQ(sub.accounts().at(1).delivered, 2U);
  EXPECT_EQ(sub.accounts().at(1).discarded, 0U);
}

}  // namespace
}  // namespace sluice::testing
