// Several consumers of one shared subscription, on one shard and on several.

#include <gtest/gtest.h>
#include <set>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

class Shared : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  Shared() : broker({.shards = GetParam()}), pub(broker.connect(0, "pub")) {}

  TestClient& member(std::size_t shard, std::uint64_t credit, std::string group = "g") {
    TestClient& client = broker.connect(shard % broker.size(), "member");
    client.subscribe({.filters = {"a"}, .credit = credit, .group = std::move(group)});
    broker.run();
    EXPECT_TRUE(client.subscribed(1));
    client.heard();
    return client;
  }
  void publish(int count) {
    for (int i = 0; i < count; ++i) pub.publish("a", {std::to_string(published_++)});
    broker.run();
  }
  static std::size_t got(const TestClient& client) {
    const auto found = client.told().find(1);
    return found == client.told().end() ? 0 : found->second.size();
  }

  ShardHarness broker;
  TestClient& pub;
  int published_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Shards, Shared, ::testing::Values(1, 2, 3));

TEST_P(Shared, EachMessageGoesToOneMemberAndTheWorkIsSharedEvenly) {
  TestClient& a = member(0, 1000);
  TestClient& b = member(1, 1000);
  TestClient& c = member(2, 1000);
  publish(300);
  EXPECT_EQ(got(a) + got(b) + got(c), 300U);
  std::set<std::string> seen;
  for (const TestClient* client : {&a, &b, &c}) {
    EXPECT_NEAR(static_cast<double>(got(*client)), 100, 30);
    for (const Told& told : client->told().at(1)) EXPECT_TRUE(seen.insert(told.payload).second);
  }
}

TEST_P(Shared, OnlyMembersWithCreditAreDealtTo) {
  TestClient& a = member(0, 0);
  TestClient& b = member(1, 5);
  publish(10);
  EXPECT_EQ(got(a), 0U);
  EXPECT_EQ(got(b), 5U);
  a.credit(1, 100);
  broker.run();
  EXPECT_EQ(got(a), 5U);
}

TEST_P(Shared, CreditIsBoundedByWhatAMemberHasNotBeenDealt) {
  TestClient& a = member(0, 9'999'990);
  a.credit(1, 10, 1);
  publish(7);
  a.credit(1, 7, 1);
  broker.run();
  EXPECT_EQ(got(a), 7U);
  EXPECT_FALSE(a.gone());
  a.heard();
  a.credit(1, 1, 1);
  broker.run();
  EXPECT_EQ(a.heard(), "ERROR credit-overflow closes\nCLOSED\n");
}

TEST_P(Shared, AGapDealtToAMemberThatLeftIsToldToTheNext) {
  const auto join = [this](std::size_t shard, std::uint64_t credit) -> TestClient& {
    TestClient& client = broker.connect(shard % broker.size(), "member");
    client.subscribe({.filters = {"a"}, .max_messages = 17, .credit = credit, .group = "small"});
    broker.run();
    return client;
  };
  TestClient& a = join(1, 1000);
  a.link().set_room(0);
  for (int i = 0; i < 15; ++i) {
    pub.publish("a", {std::string(100000, 'x')});
    broker.run();
  }
  TestClient& b = join(2, 0);
  // Beside what is in flight two of five find room, and the home deals the gap and them to a, which
  // has no room for them.
  pub.publish("a", {"1", "2", "3", "4", "5"});
  broker.run();
  a.vanish();
  broker.run();
  EXPECT_FALSE(a.told().contains(1) && a.told().at(1).back().count != 0);
  b.credit(1, 100);
  broker.run();
  std::uint64_t missing = 0;
  ASSERT_TRUE(b.told().contains(1));
  for (const Told& told : b.told().at(1)) missing += told.count;
  EXPECT_EQ(missing, 3U);
  EXPECT_EQ(b.told().at(1).back().payload, "5");
}

TEST_P(Shared, MembersOfTheSameNumbersOnOtherShardsStay) {
  // The first connection of each shard, with the same subscription id.
  TestClient& a = member(1, 10);
  TestClient& b = member(2, 10);
  a.vanish();
  broker.run();
  publish(3);
  EXPECT_EQ(got(b), 3U);
}

TEST_P(Shared, WhatAMemberLeavesBehindComesBackInOrder) {
  TestClient& a = member(0, 1000);
  a.link().set_room(0);
  publish(1);
  a.link().set_room(0);
  for (int i = 0; i < 40; ++i) pub.publish("a", {std::string(100000, 'x') + std::to_string(i)});
  broker.run();
  TestClient& b = member(1, 0);
  a.vanish();
  broker.run();
  b.credit(1, 1000);
  broker.run();
  std::uint64_t before = 0;
  ASSERT_GT(got(b), 0U);
  for (const Told& told : b.told().at(1)) {
    EXPECT_GT(told.sequence, before);
    before = told.sequence;
  }
  EXPECT_EQ(before, 41U);
  EXPECT_TRUE(broker.idle());
}

TEST_P(Shared, OtherSettingsUnderTheSameNameAreRefused) {
  member(0, 10);
  TestClient& other = broker.connect(1 % broker.size(), "other");
  other.subscribe({.filters = {"b"}, .group = "g"});
  broker.run();
  EXPECT_EQ(other.heard(), "ERROR group-mismatch stays\n");
  other.subscribe({.filters = {"a"}, .group = "g"});
  broker.run();
  EXPECT_EQ(other.heard(), "SUBSCRIBED 1 next=1\n");
}

TEST_P(Shared, EndsWithItsLastMember) {
  TestClient& a = member(0, 0);
  publish(3);
  a.unsubscribe(1);
  broker.run();
  EXPECT_EQ(a.heard(), "UNSUBSCRIBED 1\n");
  EXPECT_TRUE(broker.idle());
  TestClient& b = member(1, 10);
  EXPECT_EQ(got(b), 0U);
  publish(1);
  EXPECT_EQ(b.heard(), "DELIVER 1 #1 a 3\n");
}

TEST_P(Shared, AMemberThatGoesBeforeItHasComeInLeavesNothingBehind) {
  for (std::size_t shard = 0; shard < broker.size(); ++shard) {
    for (const char* group : {"g", "h", "i"}) {
      TestClient& hasty = broker.connect(shard, "hasty");
      hasty.subscribe({.filters = {"a"}, .group = group});
      broker.turn(shard);
      hasty.vanish();
      broker.turn(shard);
      broker.run();
    }
  }
  publish(1);
  EXPECT_EQ(pub.heard(), "RECEIPT 1 accepted messages=1\n");
}

TEST_P(Shared, AMemberThatComesBackUnderItsOldIdIsServed) {
  TestClient& keeper = member(0, 0);
  for (std::size_t shard = 0; shard < broker.size(); ++shard) {
    TestClient& hasty = broker.connect(shard, "hasty");
    hasty.subscribe({.filters = {"a"}, .group = "g"});
    hasty.unsubscribe(1);
    hasty.subscribe({.filters = {"a"}, .group = "g"});
    broker.run();
    hasty.heard();
    publish(2);
    EXPECT_EQ(got(hasty), 2U);
    hasty.vanish();
    broker.run();
  }
  EXPECT_EQ(got(keeper), 0U);
}

TEST_P(Shared, DisconnectTellsEveryMember) {
  TestClient& a = broker.connect(0, "a");
  TestClient& b = broker.connect(broker.size() - 1, "b");
  for (TestClient* client : {&a, &b}) {
    client->subscribe(
        {.filters = {"a"}, .overflow = "disconnect", .max_messages = 1, .credit = 0, .group = "g"});
    broker.run();
    EXPECT_EQ(client->heard(), "SUBSCRIBED 1 next=1\n");
  }
  publish(2);
  EXPECT_EQ(a.heard(), "ERROR slow-consumer closes\nCLOSED\n");
  EXPECT_EQ(b.heard(), "ERROR slow-consumer closes\nCLOSED\n");
  EXPECT_EQ(broker.sink().closed, 2U);
  EXPECT_TRUE(broker.idle());
}

}  // namespace
}  // namespace sluice::testing
