// Who a publish is for that all of them must take or none: those who were there when it was asked.

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

constexpr PublishOptions needs_all() {
  PublishOptions options;
  options.need.accept_all = true;
  return options;
}

class Agreement : public ::testing::Test {
 protected:
  Agreement() : broker({.shards = 3}), pub(broker.connect(0, "pub")) {}

  TestClient& subscriber(std::size_t shard, std::string overflow = "drop_newest") {
    TestClient& client = broker.connect(shard, "s" + std::to_string(shard));
    client.subscribe({.filters = {"a"}, .overflow = std::move(overflow)});
    broker.run();
    client.heard();
    return client;
  }
  // Says so; a publish of two finds no room there.
  static void subscribe_small(TestClient& client, std::string overflow = "drop_newest") {
    client.subscribe({.filters = {"a"}, .overflow = std::move(overflow), .max_messages = 1});
  }
  void publish(PublishOptions options) {
    options.payloads = {"1", "2"};
    pub.publish("a", options);
  }
  std::string next_receipt() {
    pub.heard();
    pub.publish("a", {"3"});
    broker.run();
    return pub.heard();
  }

  ShardHarness broker;
  TestClient& pub;
};

TEST_F(Agreement, WhoComesAfterItsShardWasAskedIsNotMeant) {
  TestClient& keeper = subscriber(1);
  TestClient& late = broker.connect(1, "late");
  publish(needs_all());
  subscribe_small(late);
  broker.turn(0);
  broker.turn(1);  // is asked, and then has a subscription more
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 1 accepted messages=2 matched=2 accepted=2\n");
  EXPECT_EQ(keeper.told().at(1).size(), 2U);
  EXPECT_EQ(late.heard(), "SUBSCRIBED 1 next=1\n");
  EXPECT_EQ(next_receipt(), "RECEIPT 2 accepted messages=1 matched=2 accepted=2\n");
  EXPECT_EQ(late.heard(), "DELIVER 1 #1 a 3\n");
}

TEST_F(Agreement, WhoComesToThePublishersShardMeanwhileIsNotMeant) {
  subscriber(0);
  subscriber(1);
  TestClient& late = broker.connect(0, "late");
  publish(needs_all());
  broker.turn(0);
  subscribe_small(late);
  broker.turn(0);
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 1 accepted messages=2 matched=4 accepted=4\n");
  EXPECT_EQ(late.heard(), "SUBSCRIBED 1 next=1\n");
  late.unsubscribe(1);
  broker.run();
  EXPECT_EQ(late.heard(), "UNSUBSCRIBED 1\n");
}

TEST_F(Agreement, WhoComesToAShardThatHadNobodyIsNotMeant) {
  subscriber(1);
  TestClient& late = broker.connect(2, "late");
  publish(needs_all());
  broker.turn(0);
  subscribe_small(late);
  broker.turn(2);
  broker.turn(0);  // hears of the newcomer before the answer that it waits for
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 1 accepted messages=2 matched=2 accepted=2\n");
  EXPECT_EQ(late.heard(), "SUBSCRIBED 1 next=1\n");
}

// Asked is everybody, though only one may refuse.
TEST_F(Agreement, WhoMayRefuseAndComesMeanwhileIsNotMeant) {
  subscriber(1, "reject");
  subscriber(2);
  TestClient& late = broker.connect(2, "late");
  publish({});
  subscribe_small(late, "reject");
  broker.turn(0);
  broker.turn(2);
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 1 accepted messages=2 matched=4 accepted=4\n");
  EXPECT_EQ(late.heard(), "SUBSCRIBED 1 next=1\n");
  EXPECT_EQ(next_receipt(), "RECEIPT 2 accepted messages=1 matched=3 accepted=3\n");
}

TEST_F(Agreement, WhoLeavesMeanwhileNeedsNothingAnyMore) {
  TestClient& keeper = subscriber(1);
  TestClient& leaver = subscriber(1);
  publish(needs_all());
  leaver.unsubscribe(1);
  broker.turn(0);
  broker.turn(1);
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 1 accepted messages=2 matched=2 accepted=2\n");
  EXPECT_EQ(keeper.told().at(1).size(), 2U);
  EXPECT_EQ(leaver.heard(), "UNSUBSCRIBED 1\n");
  EXPECT_TRUE(broker.idle());
}

TEST_F(Agreement, ARefusalCountsAllThatWereAsked) {
  subscriber(0);
  subscriber(1);
  subscribe_small(broker.connect(2, "new"));
  broker.run();
  publish(needs_all());
  broker.run();
  EXPECT_EQ(pub.heard(),
            "RECEIPT 1 rejected message-too-large messages=2 matched=6 rejected=6 "
            "[new#1 2 message-too-large]\n");
  EXPECT_TRUE(broker.idle());
}

// What a publisher says meanwhile waits behind it, and counts with all that it names.
TEST_F(Agreement, WhatWaitsBehindItIsCounted) {
  subscriber(1);
  publish(needs_all());
  const std::string name(200, 'n');
  PublishOptions more{.payloads = {"x"}};
  for (int i = 0; i < 16; ++i) more.need.names.emplace_back(name);
  for (int i = 0; i < 10; ++i) pub.publish("a", more);
  broker.turn(0);
  broker.turn(0);
  EXPECT_EQ(broker.shard(0).publishes_pending(), 11U);
  const auto& used = broker.metrics(0).memory_used[metrics::MemoryPart::kMailboxes];
  EXPECT_GE(used.value(), 10 * 16 * 200);
  broker.run();
  EXPECT_TRUE(broker.idle());
  EXPECT_EQ(used.value(), 0);
}

// Nobody else is asked where the publisher's own shard refuses.
TEST_F(Agreement, ARefusalOfTheOwnShardCountsItsOwn) {
  subscribe_small(broker.connect(0, "new"));
  subscriber(0);
  subscriber(1);
  publish(needs_all());
  broker.run();
  EXPECT_EQ(pub.heard(),
            "RECEIPT 1 rejected message-too-large messages=2 matched=4 rejected=4 "
            "[new#1 2 message-too-large]\n");
}

}  // namespace
}  // namespace sluice::testing
