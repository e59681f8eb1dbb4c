// What a shared subscription has dealt is in flight until a member's socket has taken it, and what
// members tell the home of their group in a turn is one letter.

#include <gtest/gtest.h>

#include "broker/shard/ended_subscriptions.h"
#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

class SharedInFlight : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  SharedInFlight() : broker({.shards = GetParam()}), pub(broker.connect(0, "pub")) {}

  TestClient& member(std::size_t shard, std::string overflow = "drop_newest") {
    TestClient& client = broker.connect(shard % broker.size(), "member");
    client.subscribe({.filters = {"a"},
                      .overflow = std::move(overflow),
                      .max_messages = 3,
                      .credit = 1000,
                      .group = "g"});
    broker.run();
    client.heard();
    return client;
  }
  std::string published(std::vector<std::string> payloads) {
    pub.publish("a", {.payloads = std::move(payloads)});
    broker.run();
    return pub.heard();
  }
  /// Of the group while it lives, and of the last that ended.
  queue::Ledger ledger() const {
    queue::Ledger found;
    for (std::size_t i = 0; i < broker.size(); ++i) {
      const shard::EndedSubscriptions& ended = broker.shard(i).core().ended;
      if (ended.size() > 0) found = ended.newest(0).ledger;
    }
    for (std::size_t i = 0; i < broker.size(); ++i) {
      broker.shard(i).each_subscription([&](const shard::Subscription& subscription) {
        if (subscription.group) found = subscription.queue.ledger();
      });
    }
    return found;
  }

  ShardHarness broker;
  TestClient& pub;
};

INSTANTIATE_TEST_SUITE_P(Shards, SharedInFlight, ::testing::Values(1, 2, 3));

TEST_P(SharedInFlight, IsWhatNoSocketHasTaken) {
  for (std::size_t shard = 0; shard < broker.size(); ++shard) {
    TestClient& only = member(shard);
    only.link().set_room(0);
    published({"1", "2"});
    EXPECT_EQ(ledger().in_flight, 2U);
    EXPECT_EQ(ledger().delivered, 0U);
    only.link().set_room(TestLink::kNoEnd);
    broker.run();
    EXPECT_EQ(ledger().in_flight, 0U);
    EXPECT_EQ(ledger().delivered, 2U);
    only.unsubscribe(1);
    broker.run();
  }
}

TEST_P(SharedInFlight, CountsAgainstTheBounds) {
  TestClient& only = member(1);
  only.link().set_room(0);
  published({"1", "2"});
  EXPECT_EQ(published({"3", "4"}),
            "RECEIPT 2 partial messages=2 matched=2 accepted=1 dropped=1 [g 1 dropped_newest]\n");
  only.link().set_room(TestLink::kNoEnd);
  broker.run();
  EXPECT_EQ(published({"5", "6", "7"}), "RECEIPT 3 accepted messages=3 matched=3 accepted=3\n");
}

TEST_P(SharedInFlight, LetsABlockedPublisherGoOnOnceItIsTaken) {
  TestClient& only = member(1, "block");
  only.link().set_room(0);
  published({"1", "2", "3"});
  EXPECT_EQ(published({"4"}), "");
  only.link().set_room(TestLink::kNoEnd);
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 2 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(ledger().delivered, 4U);
}

TEST_P(SharedInFlight, IsDiscardedWhenTheLadderEndsTheGroup) {
  TestClient& only = member(1, "disconnect");
  only.link().set_room(0);
  published({"1", "2", "3"});
  published({"4"});
  only.link().set_room(TestLink::kNoEnd);
  broker.run();
  const queue::Ledger ended = ledger();
  EXPECT_EQ(ended.delivered, 0U);
  EXPECT_EQ(ended.discarded, 3U);
  EXPECT_EQ(ended.in_flight, 0U);
  EXPECT_EQ(ended.imbalance(), 0);
}

TEST_P(SharedInFlight, IsDiscardedWhereItsConnectionIsLostAndTheGroupStays) {
  TestClient& lost = member(1);
  member(2).link().set_room(0);
  lost.link().set_room(0);
  published({"1", "2"});
  lost.vanish();
  broker.run();
  EXPECT_EQ(ledger().discarded, 1U);
  EXPECT_EQ(ledger().in_flight, 1U);
  EXPECT_EQ(ledger().delivered, 0U);
}

TEST_P(SharedInFlight, IsDeliveredWhenItsMemberLeavesInOrder) {
  TestClient& only = member(1);
  only.link().set_room(0);
  published({"1", "2"});
  only.unsubscribe(1);
  broker.run();
  EXPECT_EQ(ledger().delivered, 2U);
  EXPECT_EQ(ledger().discarded, 0U);
}

TEST_P(SharedInFlight, WhatComesBackToAGroupThatEndedIsNotDelivered) {
  if (broker.size() == 1) GTEST_SKIP() << "nothing is under way on one shard";
  for (std::size_t shard = 0; shard < broker.size(); ++shard) {
    TestClient& only = member(shard);
    // Dealt in the turn in which it leaves: letters of both cross.
    pub.publish("a", {std::string("1"), std::string("2")});
    broker.turn(0);
    only.unsubscribe(1);
    broker.turn(shard);
    broker.run();
    EXPECT_EQ(ledger().delivered, only.told().contains(1) ? only.told().at(1).size() : 0U);
    EXPECT_EQ(ledger().imbalance(), 0);
  }
}

TEST_P(SharedInFlight, AFloodOfCreditIsOneLetterPerTurn) {
  for (std::size_t shard = 0; shard < broker.size(); ++shard) {
    TestClient& flooding = member(shard);
    const std::uint64_t before = broker.metrics(shard).mailbox_posted.value();
    for (int i = 0; i < 1000; ++i) flooding.credit(1, 1, 1);
    broker.turn(shard);
    EXPECT_LE(broker.metrics(shard).mailbox_posted.value() - before, 1U);
    broker.run();
    flooding.unsubscribe(1);
    broker.run();
  }
}

TEST_P(SharedInFlight, WhatTheSocketTookIsOneLetterPerTurnAndMember) {
  if (broker.size() == 1) GTEST_SKIP() << "there is nobody to write to";
  for (std::size_t shard = 0; shard < broker.size(); ++shard) {
    TestClient& only = member(shard);
    for (int i = 0; i < 3; ++i) published({std::to_string(i)});
    const std::uint64_t before = broker.metrics(shard).mailbox_posted.value();
    for (int i = 0; i < 3; ++i) pub.publish("a", {std::to_string(i)});
    for (std::size_t each = 0; each < broker.size(); ++each) broker.turn(each);
    const std::uint64_t posted = broker.metrics(shard).mailbox_posted.value() - before;
    EXPECT_LE(posted, 3U + 1U) << "three publishes or their answers, and what was taken";
    broker.run();
    only.unsubscribe(1);
    broker.run();
  }
}

TEST_P(SharedInFlight, CreditOfNothingIsRefused) {
  TestClient& shared = member(1);
  shared.credit(1, 0, 0);
  broker.run();
  EXPECT_EQ(shared.heard(), "ERROR bad-argument stays\n");
  TestClient& plain = broker.connect(0, "plain");
  plain.subscribe({.filters = {"a"}});
  broker.run();
  plain.heard();
  plain.credit(1, 0, 0);
  broker.run();
  EXPECT_EQ(plain.heard(), "ERROR bad-argument stays\n");
}

}  // namespace
}  // namespace sluice::testing
