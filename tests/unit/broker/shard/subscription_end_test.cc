// A subscription that is ended before it has begun: what is asked for is answered, and in order.

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

class SubscriptionEnd : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  SubscriptionEnd()
      : broker({.shards = GetParam()}),
        sub(broker.connect(GetParam() - 1U, "sub")),
        pub(broker.connect(0, "pub")) {}

  ShardHarness broker;
  TestClient& sub;
  TestClient& pub;
};

INSTANTIATE_TEST_SUITE_P(Shards, SubscriptionEnd, ::testing::Values(1, 2, 3));

TEST_P(SubscriptionEnd, BeforeItBeganIsAnsweredInOrder) {
  sub.subscribe({.filters = {"a"}});
  sub.unsubscribe(1);
  broker.run();
  EXPECT_EQ(sub.heard(), "SUBSCRIBED 1 next=1\nUNSUBSCRIBED 1\n");
  sub.subscribe({.filters = {"a"}});
  broker.run();
  pub.publish("a", {"x"});
  broker.run();
  EXPECT_EQ(sub.heard(), "SUBSCRIBED 1 next=1\nDELIVER 1 #1 a x\n");
}

TEST_P(SubscriptionEnd, OfASharedOneBeforeItBeganIsAnsweredInOrder) {
  for (const std::string group : {"g", "h", "k"}) {  // with different homes
    sub.subscribe({.filters = {"a"}, .group = group});
    sub.unsubscribe(1);
    broker.run();
    EXPECT_EQ(sub.heard(), "SUBSCRIBED 1 next=1\nUNSUBSCRIBED 1\n") << group;
    sub.subscribe({.filters = {"a"}, .group = group});
    broker.run();
    pub.publish("a", {"x"});
    broker.run();
    EXPECT_EQ(sub.heard(), "SUBSCRIBED 1 next=1\nDELIVER 1 #1 a x\n") << group;
    sub.unsubscribe(1);
    broker.run();
    EXPECT_EQ(sub.heard(), "UNSUBSCRIBED 1\n") << group;
  }
}

TEST_P(SubscriptionEnd, OfWhatIsRefusedIsRefusedBehindIt) {
  TestClient& first = broker.connect(0);
  for (const std::string group : {"g", "h", "k"}) {
    first.subscribe({.id = static_cast<std::uint32_t>(group[0]), .filters = {"b"}, .group = group});
  }
  broker.run();
  for (const std::string group : {"g", "h", "k"}) {
    sub.subscribe({.filters = {"a"}, .group = group});
    sub.unsubscribe(1);
    broker.run();
    EXPECT_EQ(sub.heard(), "ERROR group-mismatch stays\nERROR unknown-subscription stays\n");
  }
}

TEST_P(SubscriptionEnd, BeforeItBeganFreesItsId) {
  for (int i = 0; i < 3; ++i) {
    sub.subscribe({.filters = {"b"}, .group = i == 1 ? "g" : ""});
    sub.unsubscribe(1);
  }
  sub.subscribe({.filters = {"a"}});
  sub.half_close();  // is not seen before all that was said
  broker.run();
  const std::string pair = "SUBSCRIBED 1 next=1\nUNSUBSCRIBED 1\n";
  EXPECT_TRUE(sub.heard().starts_with(pair + pair + pair));
  EXPECT_TRUE(sub.gone());
}

TEST_P(SubscriptionEnd, IsAskedForOnce) {
  sub.subscribe({.filters = {"a"}});
  sub.unsubscribe(1);
  sub.unsubscribe(1);
  sub.credit(1, 1);
  broker.run();
  EXPECT_EQ(sub.heard(),
            "SUBSCRIBED 1 next=1\nUNSUBSCRIBED 1\n"
            "ERROR unknown-subscription stays\nERROR unknown-subscription stays\n");
}

TEST_P(SubscriptionEnd, OfAConnectionThatGoesMeanwhileLeavesNothingBehind) {
  sub.subscribe({.filters = {"a"}, .overflow = "block", .max_messages = 1, .credit = 0});
  sub.subscribe({.id = 2, .filters = {"a"}, .overflow = "block", .max_messages = 1, .group = "g"});
  sub.unsubscribe(1);
  sub.unsubscribe(2);
  broker.turn(GetParam() - 1U);
  sub.vanish();
  broker.run();
  pub.publish("a", {"x", "y"});
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 1 accepted messages=2\n");
  EXPECT_TRUE(broker.idle());
}

}  // namespace
}  // namespace sluice::testing
