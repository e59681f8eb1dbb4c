// What CANCEL withdraws, and what publisher and subscriber are told of it.

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

// The publisher is on the first shard, the subscriber on the last.
class Withdrawal : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  Withdrawal()
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
  std::string cancelled(std::uint64_t publish, std::string_view topic = "a") {
    cancel(publish, topic);
    broker.run();
    return pub.heard();
  }
  void cancel(std::uint64_t publish, std::string_view topic = "a") {
    wire::Cancel frame;
    frame.target = publish;
    frame.name = topic;
    pub.say(frame, 77);
  }

  ShardHarness broker;
  TestClient& pub;
  TestClient& sub;
};

INSTANTIATE_TEST_SUITE_P(Shards, Withdrawal, ::testing::Values(1, 2));

TEST_P(Withdrawal, TakesBackWhatIsQueuedAndTellsTheSubscriber) {
  subscribe({.id = 1, .filters = {"a"}, .credit = 0});
  subscribe({.id = 2, .filters = {">"}, .credit = 0});
  published({.payloads = {"1"}});
  published({.payloads = {"2", "3"}});
  published({.payloads = {"4"}});
  EXPECT_EQ(cancelled(2), "CANCEL 2 withdrawn=4\n");
  sub.credit(1, 10);
  broker.run();
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a 1\nGAP 1 #2-3 2 cancelled\nDELIVER 1 #4 a 4\n");
  EXPECT_EQ(cancelled(2), "CANCEL 2 withdrawn=0\n");
}

TEST_P(Withdrawal, CannotTakeBackWhatIsDelivered) {
  subscribe({.filters = {"a"}});
  published({.payloads = {"1"}});
  EXPECT_EQ(cancelled(1), "CANCEL 1 withdrawn=0\n");
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a 1\n");
}

TEST_P(Withdrawal, OfWhatWaitsBehindABlockBringsItsReceipt) {
  subscribe({.filters = {"a"}, .overflow = "block", .max_messages = 1, .credit = 0});
  published({.payloads = {"1"}});
  EXPECT_EQ(published({.payloads = {"2"}}), "");
  EXPECT_EQ(cancelled(2),
            "RECEIPT 2 cancelled canceled messages=1 matched=1 dropped=1 [sub#1 1 cancelled]\n"
            "CANCEL 2 withdrawn=1\n");
  EXPECT_EQ(broker.shard(0).publishes_pending(), 0U);
  sub.credit(1, 10);
  broker.run();
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 a 1\nGAP 1 #2-2 1 cancelled\n");
}

TEST_P(Withdrawal, OfSomeWhatWaitsLetsTheNextGoOn) {
  subscribe({.filters = {"a"}, .overflow = "block", .max_messages = 1, .credit = 0});
  published({.payloads = {"1"}});
  published({.payloads = {"2"}});
  EXPECT_EQ(cancelled(1),
            "CANCEL 1 withdrawn=1\n"
            "RECEIPT 2 accepted messages=1 matched=1 accepted=1\n");
  sub.credit(1, 10);
  broker.run();
  EXPECT_EQ(sub.heard(), "GAP 1 #1-1 1 cancelled\nDELIVER 1 #2 a 2\n");
}

TEST_P(Withdrawal, OfOthersPublishesIsNotPossible) {
  subscribe({.filters = {"a"}, .credit = 0});
  TestClient& other = broker.connect(0, "other");
  published({.payloads = {"mine"}});
  other.publish("a", {"theirs"});
  broker.run();
  EXPECT_EQ(cancelled(1), "CANCEL 1 withdrawn=1\n");
  sub.credit(1, 10);
  broker.run();
  EXPECT_EQ(sub.heard(), "GAP 1 #1-1 1 cancelled\nDELIVER 1 #2 a theirs\n");
}

TEST_P(Withdrawal, OfAPublishThatNeverWasIsAnError) {
  EXPECT_EQ(cancelled(1), "ERROR bad-argument stays\n");
  published({.payloads = {"1"}});
  EXPECT_EQ(cancelled(1, "b"), "CANCEL 1 withdrawn=0\n");
  wire::Cancel frame;
  frame.target = 1;
  frame.topic = 999;
  pub.say(frame, 1);
  broker.run();
  EXPECT_EQ(pub.heard(), "ERROR unknown-topic-id stays\n");
}

TEST_P(Withdrawal, WhileShardsAgreeIsAsAWhole) {
  if (GetParam() == 1) GTEST_SKIP() << "one shard agrees with itself at once";
  subscribe({.filters = {"a"}, .overflow = "reject", .credit = 0});
  pub.publish("a", {"1"});
  pub.publish("a", {"2"});
  cancel(1);
  cancel(2);
  broker.run();
  const std::string heard = pub.heard();
  EXPECT_NE(heard.find("RECEIPT 1 cancelled canceled messages=1"), std::string::npos) << heard;
  EXPECT_NE(heard.find("RECEIPT 2 cancelled canceled messages=1"), std::string::npos) << heard;
  EXPECT_NE(heard.find("CANCEL 1 withdrawn=1"), std::string::npos) << heard;
  EXPECT_NE(heard.find("CANCEL 2 withdrawn=1"), std::string::npos) << heard;
  EXPECT_TRUE(broker.idle());
  EXPECT_EQ(sub.heard(), "");
}

TEST_P(Withdrawal, TooManyAtOnceAreRefused) {
  published({.payloads = {"1"}});
  subscribe({.filters = {"a"}});
  for (int i = 0; i < 100; ++i) cancel(1);
  broker.run();
  const std::string heard = pub.heard();
  const bool refused = heard.find("ERROR unavailable stays") != std::string::npos;
  EXPECT_TRUE(refused) << heard;
  EXPECT_EQ(cancelled(1), "CANCEL 1 withdrawn=0\n");
}

TEST(ExpiryNotices, AreSummedByPublishAndThenByConnection) {
  shard::ExpiryNotices notices;
  const auto origin = [](std::uint64_t connection, std::uint64_t publish) {
    return model::Origin{model::ConnectionId(connection), publish, model::ShardId(0)};
  };
  notices.add(origin(1, 1), 2);
  notices.add(origin(1, 1), 3);
  for (std::uint64_t i = 2; i <= shard::ExpiryNotices::kMost + 10; ++i)
    notices.add(origin(1, i), 1);
  std::uint64_t sum = 0;
  std::size_t count = 0;
  std::uint64_t unnamed = 0;
  notices.tell([&](const model::Origin& at, std::uint64_t copies) {
    sum += copies;
    ++count;
    if (at.publish == 0) unnamed += copies;
  });
  EXPECT_EQ(sum, 5 + shard::ExpiryNotices::kMost + 9);
  EXPECT_EQ(count, shard::ExpiryNotices::kMost + 1);
  EXPECT_EQ(unnamed, 10U);
  notices.tell([](const model::Origin&, std::uint64_t) { FAIL(); });
}

}  // namespace
}  // namespace sluice::testing
