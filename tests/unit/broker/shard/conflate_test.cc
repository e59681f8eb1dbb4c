// What conflate keeps, and what the publisher and the subscriber are told of the rest.

#include <gtest/gtest.h>
#include <map>

#include "libs/base/random.h"
#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using Names = std::vector<std::string>;

class Conflate : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  Conflate()
      : broker({.shards = GetParam()}),
        pub(broker.connect(0, "pub")),
        sub(broker.connect(GetParam() - std::size_t{1}, "sub")) {}

  void subscribe(std::string overflow, std::uint32_t max_messages) {
    sub.subscribe({.filters = {">"},
                   .overflow = std::move(overflow),
                   .max_messages = max_messages,
                   .credit = 0});
    broker.run();
    ASSERT_EQ(sub.heard(), "SUBSCRIBED 1 next=1\n");
  }
  std::string published(std::string_view topic, const PublishOptions& options) {
    pub.publish(topic, options);
    broker.run();
    return pub.heard();
  }
  std::string told_after_credit() {
    sub.credit(1, 1000);
    broker.run();
    return sub.heard();
  }

  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

INSTANTIATE_TEST_SUITE_P(Shards, Conflate, ::testing::Values(1, 2));

TEST_P(Conflate, ByTopicKeepsTheNewestOfEach) {
  subscribe("conflate,drop_oldest", 3);
  published("a", {.payloads = {"1"}});
  published("b", {.payloads = {"2"}});
  published("a", {.payloads = {"3"}});
  EXPECT_EQ(published("b", {.payloads = {"4"}}),
            "RECEIPT 4 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(told_after_credit(), "GAP 1 #1-2 2 conflated\nDELIVER 1 #3 a 3\nDELIVER 1 #4 b 4\n");
}

TEST_P(Conflate, ByKeyKeepsTheNewestOfEachTopicAndKey) {
  subscribe("conflate:key,drop_oldest", 4);
  published("a", {.payloads = {"1", "2", "3"}, .keys = {"x", "y", "x"}});
  published("b", {.payloads = {"4"}, .keys = {"x"}});
  EXPECT_EQ(published("a", {.payloads = {"5"}, .keys = {"y"}}),
            "RECEIPT 3 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(told_after_credit(),
            "GAP 1 #1-2 2 conflated\nDELIVER 1 #3 a 3\nDELIVER 1 #4 b 4\nDELIVER 1 #5 a 5\n");
}

TEST_P(Conflate, ReachesIntoTheBatchThatComes) {
  subscribe("conflate,drop_newest", 2);
  EXPECT_EQ(published("a", {.payloads = {"1", "2", "3", "4", "5"}}),
            "RECEIPT 1 accepted messages=5 matched=5 accepted=5\n");
  EXPECT_EQ(told_after_credit(), "GAP 1 #1-4 4 conflated\nDELIVER 1 #5 a 5\n");
}

TEST_P(Conflate, LooksIntoCompressedBatches) {
  subscribe("conflate:key,drop_oldest", 2);
  const std::string large(200, 'p');
  published(
      "a",
      {.payloads = {large, large}, .keys = {"x", "y"}, .compression = wire::Compression::kLz4});
  published("a", {.payloads = {"3"}, .keys = {"x"}});
  const std::string told = told_after_credit();
  EXPECT_TRUE(told.starts_with("GAP 1 #1-1 1 conflated\nDELIVER 1 #2 a ")) << told;
  EXPECT_TRUE(told.ends_with("DELIVER 1 #3 a 3\n")) << told;
}

TEST_P(Conflate, WhatFindsNoRoomGoesToTheNextStep) {
  subscribe("conflate:key,drop_newest", 2);
  published("a", {.payloads = {"1", "2"}, .keys = {"x", "y"}});
  EXPECT_EQ(
      published("a", {.payloads = {"3"}, .keys = {"z"}}),
      "RECEIPT 2 rejected not-taken messages=1 matched=1 dropped=1 [sub#1 1 dropped_newest]\n");
  EXPECT_EQ(told_after_credit(), "DELIVER 1 #1 a 1 2\nGAP 1 #3-3 1 dropped_newest\n");
}

TEST_P(Conflate, BeforeABlockKeepsThePublisherGoing) {
  subscribe("conflate,block", 1);
  for (int i = 1; i <= 5; ++i) {
    EXPECT_NE(published("a", {.payloads = {std::to_string(i)}}).find("accepted"),
              std::string::npos);
  }
  EXPECT_EQ(published("b", {.payloads = {"6"}}), "");  // nothing to take: it waits
  EXPECT_EQ(told_after_credit(), "GAP 1 #1-4 4 conflated\nDELIVER 1 #5 a 5\nDELIVER 1 #6 b 6\n");
  EXPECT_TRUE(broker.idle());
}

// Every message is delivered or told missing, order is kept, and of the keys that fit well the
// newest is never lost.
TEST_P(Conflate, RandomKeysKeepTheirNewest) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    base::Random random(seed);
    TestClient& client = broker.connect(GetParam() - std::size_t{1}, "many");
    client.subscribe({.filters = {"r"},
                      .overflow = "conflate:key,drop_oldest",
                      .max_messages = 32,
                      .credit = 0});
    broker.run();
    std::map<std::string, std::string> newest;
    std::uint64_t count = 0;
    for (int step = 0; step < 200; ++step) {
      PublishOptions options;
      for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
        options.keys.push_back("k" + std::to_string(random.below(8)));
        options.payloads.push_back(std::to_string(++count));
        newest[options.keys.back()] = options.payloads.back();
      }
      published("r", options);
    }
    client.credit(1, 10000);
    broker.run();
    std::uint64_t next = 1;
    std::map<std::string, bool> delivered;
    for (const Told& told : client.told().at(1)) {
      if (told.count == 0) {
        ASSERT_EQ(told.payload, std::to_string(told.sequence));
        delivered[told.payload] = true;
      }
      ASSERT_EQ(told.sequence, next);
      next = told.count == 0 ? next + 1 : told.last + 1;
    }
    ASSERT_EQ(next, count + 1);
    for (const auto& [key, payload] : newest) ASSERT_TRUE(delivered[payload]) << key;
    client.vanish();
    broker.run();
  }
}

}  // namespace
}  // namespace sluice::testing
