// What an idempotent producer is told of what it sends again, on whatever shard it comes back.

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kProducer = 7;

// The producer is at home on the shard of its number; `first` and `last` are any shards.
struct Places {
  std::uint16_t shards;
  std::size_t first;   // where the producer connects
  std::size_t second;  // where it comes back
};

class Producer : public ::testing::TestWithParam<Places> {
 protected:
  Producer() : broker({.shards = GetParam().shards}), sub(broker.connect(0, "sub")) {}

  TestClient& producer(std::size_t shard) {
    TestClient& client = broker.connect_silently(shard);
    client.hello("producer", kProducer);
    return client;
  }
  std::string published(TestClient& client, std::uint64_t sequence,
                        std::vector<std::string> payloads) {
    client.publish(
        "a",
        {.payloads = std::move(payloads), .producer_id = kProducer, .producer_sequence = sequence});
    broker.run();
    return client.heard();
  }
  void subscribe(const SubscribeOptions& options) {
    sub.subscribe(options);
    broker.run();
    ASSERT_EQ(sub.heard(), "SUBSCRIBED " + std::to_string(options.id) + " next=1\n");
  }

  ShardHarness broker;
  TestClient& sub;
};

INSTANTIATE_TEST_SUITE_P(Shards, Producer,
                         ::testing::Values(Places{1, 0, 0}, Places{2, 0, 0}, Places{2, 1, 1},
                                           Places{2, 0, 1}, Places{3, 2, 0}));

TEST_P(Producer, IsToldOfADuplicateAndTheSubscriberGetsOne) {
  subscribe({.filters = {"a"}});
  TestClient& one = producer(GetParam().first);
  EXPECT_EQ(published(one, 1, {"x", "y"}),
            "WELCOME\nRECEIPT 1 accepted messages=2 matched=2 accepted=2\n");
  EXPECT_EQ(published(one, 1, {"x", "y"}), "RECEIPT 2 duplicate messages=2\n");
  EXPECT_EQ(published(one, 3, {"z"}), "RECEIPT 3 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a x y\nDELIVER 1 #3 a z\n");
}

TEST_P(Producer, IsKnownAgainAfterItHasLeft) {
  subscribe({.filters = {"a"}});
  TestClient& one = producer(GetParam().first);
  published(one, 1, {"x"});
  one.vanish();
  broker.run();
  TestClient& two = producer(GetParam().second);
  EXPECT_EQ(published(two, 1, {"x"}), "WELCOME\nRECEIPT 1 duplicate messages=1\n");
  EXPECT_EQ(published(two, 2, {"y"}), "RECEIPT 2 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a x\nDELIVER 1 #2 a y\n");
}

TEST_P(Producer, TakesOverFromItsOldConnection) {
  subscribe({.filters = {"a"}});
  TestClient& one = producer(GetParam().first);
  published(one, 1, {"x"});
  TestClient& two = producer(GetParam().second);
  broker.run();
  EXPECT_EQ(one.heard(), "ERROR taken-over closes\nCLOSED\n");
  EXPECT_EQ(published(two, 1, {"x"}), "WELCOME\nRECEIPT 1 duplicate messages=1\n");
  TestClient& three = producer(GetParam().first);
  TestClient& four = producer(GetParam().second);
  broker.run();
  EXPECT_EQ(two.heard(), "ERROR taken-over closes\nCLOSED\n");
  const bool third = !three.gone();
  EXPECT_NE(third, !four.gone());  // one of them is the last
  EXPECT_EQ(published(third ? three : four, 1, {"x"}).find("RECEIPT 1 duplicate messages=1\n") !=
                std::string::npos,
            true);
}

TEST_P(Producer, IsToldWhatItHasSent) {
  TestClient& one = producer(GetParam().first);
  broker.run();
  EXPECT_EQ(one.producer_epoch(), 1U);
  EXPECT_EQ(one.producer_next(), 0U);
  published(one, 1, {"x", "y"});
  one.vanish();
  broker.run();
  TestClient& two = producer(GetParam().second);
  broker.run();
  EXPECT_EQ(two.producer_epoch(), 2U);
  EXPECT_EQ(two.producer_next(), 3U);
  EXPECT_EQ(sub.producer_epoch(), 0U);
}

TEST_P(Producer, ComesBackWithItsEpoch) {
  TestClient& one = producer(GetParam().first);
  published(one, 1, {"x"});
  TestClient& again = broker.connect_silently(GetParam().second);
  again.hello("producer", kProducer, 1);  // its old connection is not known to be dead yet
  broker.run();
  EXPECT_EQ(one.heard(), "ERROR taken-over closes\nCLOSED\n");
  EXPECT_EQ(again.producer_epoch(), 1U);
  EXPECT_EQ(published(again, 1, {"x"}), "WELCOME\nRECEIPT 1 duplicate messages=1\n");
}

TEST_P(Producer, AnOlderClientDoesNotTakeOverAgain) {
  TestClient& one = producer(GetParam().first);
  published(one, 1, {"x"});
  one.vanish();
  TestClient& newer = producer(GetParam().second);
  broker.run();
  EXPECT_EQ(newer.heard(), "WELCOME\n");
  TestClient& again = broker.connect_silently(GetParam().first);
  again.hello("producer", kProducer, 1);
  broker.run();
  EXPECT_EQ(again.heard(), "ERROR taken-over closes\nCLOSED\n");
  EXPECT_EQ(published(newer, 2, {"y"}), "RECEIPT 1 accepted messages=1\n");
  newer.vanish();
  broker.run();
  TestClient& late = broker.connect_silently(GetParam().first);  // nobody holds the lease
  late.hello("producer", kProducer, 1);
  broker.run();
  EXPECT_EQ(late.heard(), "ERROR taken-over closes\nCLOSED\n");
}

TEST_P(Producer, AnEpochThatTheBrokerDoesNotKnowIsTaken) {  // it has restarted since
  TestClient& one = broker.connect_silently(GetParam().first);
  one.hello("producer", kProducer, 5);
  broker.run();
  EXPECT_EQ(one.producer_epoch(), 5U);
  one.vanish();
  TestClient& two = producer(GetParam().second);
  broker.run();
  EXPECT_EQ(two.producer_epoch(), 6U);
}

// Else who lost its connection before the receipt came would be told that it was taken.
TEST_P(Producer, WhatEveryQueueDroppedMayComeAgain) {
  subscribe({.filters = {"a"}, .overflow = "drop_newest", .max_messages = 1, .credit = 0});
  TestClient& one = producer(GetParam().first);
  published(one, 1, {"x"});
  EXPECT_TRUE(published(one, 2, {"y"}).starts_with("RECEIPT 2 rejected not-taken"));
  sub.credit(1, 10);
  broker.run();
  EXPECT_EQ(published(one, 2, {"y"}), "RECEIPT 3 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a x\nGAP 1 #2-2 1 dropped_newest\nDELIVER 1 #3 a y\n");
}

TEST_P(Producer, WhatWasRejectedMayComeAgain) {
  subscribe({.filters = {"a"}, .overflow = "reject", .max_messages = 1, .credit = 0});
  TestClient& one = producer(GetParam().first);
  published(one, 1, {"x"});
  EXPECT_TRUE(published(one, 2, {"y"}).starts_with("RECEIPT 2 rejected queue-full"));
  sub.credit(1, 10);
  broker.run();
  EXPECT_EQ(published(one, 2, {"y"}), "RECEIPT 3 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(published(one, 2, {"y"}), "RECEIPT 4 duplicate messages=1\n");
}

TEST_P(Producer, WhatIsNotOnItsWayWhenItVanishesMayComeAgain) {
  subscribe({.filters = {"a"}, .overflow = "reject", .credit = 10});
  TestClient& one = producer(GetParam().first);
  broker.run();
  one.heard();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    one.publish("a", {.payloads = {"x"}, .producer_id = kProducer, .producer_sequence = i});
  }
  broker.turn(GetParam().first);  // read; with other shards still to agree
  one.vanish();
  broker.run();
  TestClient& two = producer(GetParam().second);
  for (std::uint64_t i = 1; i <= 3; ++i) published(two, i, {"x"});
  const auto& told = sub.told().at(1);
  ASSERT_EQ(told.size(), 3U);  // none twice, none missing
}

TEST_P(Producer, ABatchOfAnotherProducerIsRefused) {
  TestClient& one = producer(GetParam().first);
  broker.run();
  one.heard();
  one.publish("a", {.payloads = {"x"}, .producer_id = 8, .producer_sequence = 1});
  sub.publish("a", {.payloads = {"x"}, .producer_id = kProducer, .producer_sequence = 1});
  broker.run();
  EXPECT_EQ(one.heard(), "ERROR bad-argument stays\nRECEIPT 1 rejected bad-argument messages=1\n");
  EXPECT_EQ(sub.heard(), "ERROR bad-argument stays\nRECEIPT 1 rejected bad-argument messages=1\n");
}

TEST_P(Producer, HalfADuplicateIsRefused) {
  TestClient& one = producer(GetParam().first);
  published(one, 1, {"x", "y"});
  EXPECT_EQ(published(one, 2, {"y", "z"}),
            "ERROR bad-argument stays\nRECEIPT 2 rejected bad-argument messages=2\n");
}

TEST(Producers, ThoseThatNobodyHoldsAreBounded) {
  shard::Options options;
  options.max_producers = 2;
  ShardHarness broker({.options = options});
  for (std::uint64_t producer = 1; producer <= 3; ++producer) {
    TestClient& client = broker.connect_silently(0);
    client.hello("p", producer);
    client.publish("a", {.payloads = {"x"}, .producer_id = producer, .producer_sequence = 1});
    broker.run();
    client.vanish();
    broker.run();
  }
  const auto again = [&](std::uint64_t producer) {
    TestClient& client = broker.connect_silently(0);
    client.hello("p", producer);
    client.publish("a", {.payloads = {"x"}, .producer_id = producer, .producer_sequence = 1});
    broker.run();
    return client.heard();
  };
  EXPECT_EQ(again(3), "WELCOME\nRECEIPT 1 duplicate messages=1\n");
  EXPECT_EQ(again(1), "WELCOME\nRECEIPT 1 accepted messages=1\n");  // forgotten
}

}  // namespace
}  // namespace sluice::testing
