#include "broker/shard/inspection.h"

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::shard {
namespace {

using model::LimitedBy;
using testing::ShardHarness;
using testing::SubscribeOptions;
using testing::TestClient;
using namespace std::chrono_literals;

class InspectionTest : public ::testing::Test {
 protected:
  InspectionTest() : pub(broker.connect(0, "pub")), sub(broker.connect(1, "sub")) {}

  void subscribe(const SubscribeOptions& options) {
    sub.subscribe(options);
    broker.run();
  }
  void publish(std::vector<std::string> payloads) {
    pub.publish("a", {.payloads = std::move(payloads)});
    broker.run();
  }
  model::AccountPage audit(const model::AccountQuery& query, std::size_t shard = 1) {
    model::AccountPage page;
    Inspection::Cursor cursor;
    while (broker.shard(shard).inspection().audit(query, cursor, page)) {
    }
    return page;
  }
  model::Explanation explain(model::ExplainKind kind, std::string name, std::size_t shard) {
    model::Explanation out;
    Inspection::Cursor cursor;
    const model::ExplainQuery query{kind, std::move(name), 10};
    while (broker.shard(shard).inspection().explain(query, cursor, out)) {
    }
    return out;
  }

  ShardHarness broker{{.shards = 2}};
  TestClient& pub;
  TestClient& sub;
};

TEST_F(InspectionTest, Audit_accounts_for_live_and_ended_subscriptions) {
  subscribe({.id = 1, .filters = {"a"}, .max_messages = 2, .credit = 1, .name = "live"});
  subscribe({.id = 2, .filters = {"a", "b"}, .credit = 0, .name = "gone"});
  publish({"1", "2", "3", "4"});
  sub.unsubscribe(2);
  broker.run();
  const model::AccountPage page = audit({.topic = {}, .since = {}, .limit = 10});
  ASSERT_EQ(page.rows.size(), 2U);
  EXPECT_EQ(page.subscriptions, 1U);
  EXPECT_EQ(page.ended, 1U);
  EXPECT_EQ(page.unbalanced, 0U);
  EXPECT_EQ(page.sum.matched, 8);
  EXPECT_EQ(page.sum.imbalance(), 0);
  EXPECT_EQ(page.rows[0].name, "live");
  EXPECT_EQ(page.rows[0].ledger.dropped_total(), 2);
  EXPECT_EQ(page.rows[1].name, "gone");
  EXPECT_EQ(page.rows[1].why, "unsubscribed");
  EXPECT_EQ(page.rows[1].ledger.discarded, 4);
}

TEST_F(InspectionTest, Audit_of_a_topic_has_whose_filters_match_it) {
  subscribe({.id = 1, .filters = {"a.*"}, .name = "star"});
  subscribe({.id = 2, .filters = {"b"}, .name = "b"});
  const model::AccountPage page = audit({.topic = "a.x", .since = {}, .limit = 10});
  ASSERT_EQ(page.rows.size(), 1U);
  EXPECT_EQ(page.rows[0].name, "star");
}

TEST_F(InspectionTest, Audit_sums_what_it_does_not_list) {
  for (std::uint32_t id = 1; id <= 5; ++id) subscribe({.id = id, .filters = {"a"}});
  publish({"1", "2"});
  const model::AccountPage page = audit({.topic = {}, .since = {}, .limit = 2});
  EXPECT_EQ(page.rows.size(), 2U);
  EXPECT_EQ(page.subscriptions, 5U);
  EXPECT_EQ(page.sum.delivered, 10);
}

TEST_F(InspectionTest, Audit_since_a_time_has_the_difference_and_says_from_when) {
  subscribe({.filters = {"a"}, .max_messages = 100, .credit = 0});
  publish({"1", "2", "3"});
  broker.pass(20s);
  publish({"4"});
  broker.pass(20s);
  publish({"5", "6"});
  broker.pass(2s);
  const model::AccountPage page = audit({.topic = {}, .since = 15s, .limit = 10});
  ASSERT_EQ(page.rows.size(), 1U);
  EXPECT_EQ(page.rows[0].ledger.matched, 2);
  EXPECT_EQ(page.rows[0].ledger.queued, 2);
  EXPECT_EQ(page.rows[0].ledger.imbalance(), 0);
  EXPECT_GE(page.rows[0].from_ns, base::Duration(15s).count());
  EXPECT_LE(page.rows[0].from_ns, base::Duration(25s).count());
  EXPECT_EQ(audit({.topic = {}, .since = 1h, .limit = 10}).rows[0].ledger.matched, 6);
}

TEST_F(InspectionTest, Drops_are_read_page_by_page) {
  subscribe({.filters = {"*"}, .max_messages = 1, .credit = 0, .name = "s"});
  for (const char* topic : {"a", "b", "c", "d"}) {
    pub.publish(topic, {"1", "2"});
    broker.run();
  }
  model::DropQuery query;
  query.limit = 3;
  const auto page = [&] { return broker.shard(1).inspection().drops(query); };
  const model::DropPage first = page();
  EXPECT_EQ(first.rows.size(), 3U);
  EXPECT_TRUE(first.more);
  query.after = {0, first.next};
  const model::DropPage second = page();
  EXPECT_FALSE(second.more);
  EXPECT_EQ(second.rows.front().number, first.rows.back().number + 1);
  query.after = {0, second.next};
  EXPECT_TRUE(page().rows.empty());
  // Who follows gets what does not grow any more.
  query.after = {};
  query.only_closed = true;
  EXPECT_TRUE(page().rows.empty());
  broker.pass(2s);
  EXPECT_EQ(page().rows.size(), 3U);
  query.reason = wire::GapReason::kLagged;
  EXPECT_TRUE(page().rows.empty());
}

TEST_F(InspectionTest, Explain_names_whom_a_subscription_makes_wait_on_other_shards) {
  subscribe(
      {.filters = {"a"}, .overflow = "block", .max_messages = 1, .credit = 0, .name = "full"});
  pub.open_topic("a");
  broker.run();
  for (int i = 0; i < 3; ++i) {
    pub.publish_open("a", {.payloads = {"x"}});
    broker.run();
  }
  broker.pass(5s);
  const model::Explanation there = explain(model::ExplainKind::kSubscription, "full", 1);
  ASSERT_EQ(there.subscriptions.size(), 1U);
  EXPECT_EQ(there.subscriptions[0].state, LimitedBy::kWaitingCredit);
  EXPECT_EQ(there.subscriptions[0].status.waiting, 2U);
  EXPECT_GT(there.subscriptions[0].times.share(LimitedBy::kWaitingCredit), 0.9);
  const model::Explanation here = explain(model::ExplainKind::kSubscription, "full", 0);
  EXPECT_TRUE(here.subscriptions.empty());
  ASSERT_EQ(here.publishers.size(), 1U);
  EXPECT_EQ(here.publishers[0].client, "pub");
  EXPECT_EQ(here.publishers[0].topic, "a");
  EXPECT_EQ(here.publishers[0].state, LimitedBy::kBlockedBy);
  EXPECT_EQ(here.publishers[0].blocked_by, std::vector<std::string>{"full"});
  EXPECT_EQ(here.publishers[0].publishes_waiting, 2U);
}

TEST_F(InspectionTest, Explain_finds_by_shown_name_connection_and_topic) {
  subscribe({.id = 7, .filters = {"a"}});
  pub.open_topic("a");
  broker.run();
  EXPECT_EQ(explain(model::ExplainKind::kSubscription, "sub#7", 1).subscription_count, 1U);
  EXPECT_EQ(explain(model::ExplainKind::kSubscription, "sub#8", 1).subscription_count, 0U);
  EXPECT_EQ(explain(model::ExplainKind::kSubscription, "sub", 1).subscription_count, 0U);
  EXPECT_EQ(explain(model::ExplainKind::kConnection, "sub", 1).connection_count, 1U);
  EXPECT_EQ(explain(model::ExplainKind::kConnection, "1/1", 1).connection_count, 1U);
  EXPECT_EQ(explain(model::ExplainKind::kConnection, "0/1", 1).connection_count, 0U);
  EXPECT_EQ(explain(model::ExplainKind::kConnection, "1", 1).connections[0].status.client, "sub");
  EXPECT_EQ(explain(model::ExplainKind::kTopic, "a", 0).publisher_count, 1U);
  EXPECT_EQ(explain(model::ExplainKind::kTopic, "a", 1).subscription_count, 1U);
  EXPECT_EQ(explain(model::ExplainKind::kTopic, "b", 0).publisher_count, 0U);
}

TEST_F(InspectionTest, Answers_in_parts_have_everything) {
  constexpr std::uint32_t kCount = 2500;
  for (std::uint32_t id = 1; id <= kCount; ++id) sub.subscribe({.id = id, .filters = {"a"}});
  broker.run();
  Inspection::Cursor cursor;
  model::ShardStatus status;
  std::size_t parts = 1;
  while (broker.shard(1).inspection().status(10'000, cursor, status)) ++parts;
  EXPECT_GE(parts, 3U);
  EXPECT_EQ(status.subscription_list.size(), kCount);
  EXPECT_EQ(status.connection_list.size(), 1U);
}

}  // namespace
}  // namespace sluice::shard
