#include "broker/shard/ended_subscriptions.h"

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::shard {
namespace {

using testing::ShardHarness;
using testing::TestClient;

EndedSubscription ended(std::uint64_t session, std::uint32_t id, std::uint64_t next_sequence = 1) {
  EndedSubscription out;
  out.session = session;
  out.id = model::SubscriptionId(id);
  out.next_sequence = next_sequence;
  return out;
}

TEST(EndedSubscriptions, Are_found_by_session_and_id) {
  EndedSubscriptions records(4);
  EXPECT_EQ(records.find(7, model::SubscriptionId(1)), nullptr);
  records.add(ended(7, 1, 11));
  records.add(ended(7, 2, 12));
  records.add(ended(8, 1, 13));
  EXPECT_EQ(records.find(7, model::SubscriptionId(2))->next_sequence, 12U);
  EXPECT_EQ(records.find(8, model::SubscriptionId(1))->next_sequence, 13U);
  EXPECT_EQ(records.find(8, model::SubscriptionId(2)), nullptr);
}

TEST(EndedSubscriptions, The_later_of_the_same_id_is_found) {
  EndedSubscriptions records(4);
  records.add(ended(7, 1, 11));
  records.add(ended(7, 1, 22));
  EXPECT_EQ(records.find(7, model::SubscriptionId(1))->next_sequence, 22U);
}

TEST(EndedSubscriptions, The_oldest_are_forgotten) {
  EndedSubscriptions records(3);
  for (std::uint32_t id = 1; id <= 8; ++id) records.add(ended(7, id, id));
  records.add(ended(7, 6, 66));  // the number of one that is still kept
  EXPECT_EQ(records.size(), 3U);
  EXPECT_EQ(records.forgotten(), 6U);
  EXPECT_EQ(records.newest(0).next_sequence, 66U);
  EXPECT_EQ(records.newest(2).next_sequence, 7U);
  EXPECT_EQ(records.find(7, model::SubscriptionId(5)), nullptr);
  EXPECT_EQ(records.find(7, model::SubscriptionId(6))->next_sequence, 66U);
  EXPECT_EQ(records.find(7, model::SubscriptionId(8))->next_sequence, 8U);
}

TEST(EndedSubscriptions, Keep_a_few_filters_and_their_number) {
  EndedSubscriptions records(1);
  EndedSubscription many = ended(7, 1);
  many.filters.assign(100, "a.b");
  records.add(std::move(many));
  EXPECT_EQ(records.newest(0).filters.size(), EndedSubscriptions::kMaxFiltersKept);
  EXPECT_EQ(records.newest(0).filter_count, 100U);
}

TEST(EndedSubscriptions, May_be_kept_not_at_all) {
  EndedSubscriptions records(0);
  records.add(ended(7, 1));
  EXPECT_EQ(records.size(), 0U);
  EXPECT_EQ(records.find(7, model::SubscriptionId(1)), nullptr);
}

TEST(EndedSubscriptions, Of_a_client_that_vanishes_say_what_it_missed) {
  ShardHarness broker({.shards = 2});
  TestClient& sub = broker.connect(1, "reader");
  TestClient& pub = broker.connect(0, "pub");
  sub.subscribe({.id = 3, .filters = {"a", "b.>"}, .credit = 2});
  broker.run();
  pub.publish("a", {"1", "2", "3", "4", "5"});
  broker.run();
  const std::uint64_t session = sub.session();
  EXPECT_EQ(model::shard_of_session(session).value(), 1U);
  sub.vanish();
  broker.run();
  const EndedSubscriptions& records = broker.shard(1).core().ended;
  const EndedSubscription* found = records.find(session, model::SubscriptionId(3));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->next_sequence, 6U);
  EXPECT_EQ(found->ledger.delivered, 2U);
  EXPECT_EQ(found->ledger.discarded, 3U);
  EXPECT_EQ(found->ledger.imbalance(), 0);
  EXPECT_EQ(found->shown_name, "reader#3");
  EXPECT_EQ(found->client, "reader");
  EXPECT_EQ(found->why, model::EndReason::kNetwork);
  EXPECT_EQ(found->filters, (std::vector<std::string>{"a", "b.>"}));
}

/// What SUBSCRIBED tells a client on `shard` that says it follows `resume`.
std::string resumed(ShardHarness& broker, std::size_t shard, const wire::Resume& resume,
                    std::string_view group = {}) {
  TestClient& back = broker.connect(shard, "reader");
  static_cast<void>(back.heard());
  back.say(wire::Subscribe{.subscription = 9, .group = group, .filters = {"a"}, .resume = resume},
           1);
  broker.run();
  return back.heard();
}

TEST(EndedSubscriptions, Are_told_to_a_client_that_comes_back_to_any_shard) {
  ShardHarness broker({.shards = 3});
  TestClient& sub = broker.connect(1, "reader");
  TestClient& pub = broker.connect(0, "pub");
  sub.subscribe({.id = 3, .filters = {"a"}, .credit = 2});
  broker.run();
  pub.publish("a", {"1", "2", "3", "4", "5"});
  broker.run();
  const std::uint64_t session = sub.session();
  const std::string plain = "SUBSCRIBED 9 next=1\n";
  EXPECT_EQ(resumed(broker, 2, {session, 3, 2}), plain);  // it has not ended
  sub.vanish();
  broker.run();
  const std::string told = "SUBSCRIBED 9 next=1 resumed=5/3\n";
  EXPECT_EQ(resumed(broker, 0, {session, 3, 2}), told);
  EXPECT_EQ(resumed(broker, 1, {session, 3, 2}), told);
  EXPECT_EQ(resumed(broker, 2, {session, 3, 2}), told);
  EXPECT_EQ(resumed(broker, 2, {session, 4, 2}), plain);
  EXPECT_EQ(resumed(broker, 2, {session + 1, 3, 2}), plain);
  EXPECT_EQ(resumed(broker, 2, {}), plain);
  EXPECT_EQ(resumed(broker, 2, {session, 3, 2}, "group"), plain);
}

TEST(EndedSubscriptions, Say_how_each_ended) {
  ShardHarness broker;
  TestClient& pub = broker.connect(0, "pub");
  TestClient& sub = broker.connect(0, "sub");
  const EndedSubscriptions& records = broker.shard(0).core().ended;
  sub.subscribe({.id = 1, .filters = {"a"}});
  sub.subscribe({.id = 2, .filters = {"a"}, .group = "g"});
  broker.run();
  sub.unsubscribe(1);
  broker.run();
  EXPECT_EQ(records.newest(0).why, model::EndReason::kUnsubscribed);
  sub.unsubscribe(2);
  broker.run();
  EXPECT_EQ(records.newest(0).why, model::EndReason::kLastMemberLeft);
  EXPECT_EQ(records.newest(0).group, "g");
  sub.subscribe(
      {.id = 4, .filters = {"a"}, .overflow = "disconnect", .max_messages = 1, .credit = 0});
  broker.run();
  pub.publish("a", {"1", "2"});
  broker.run();
  EXPECT_EQ(records.newest(0).why, model::EndReason::kSlowConsumer);
  broker.connect(0, "late").subscribe({.id = 1, .filters = {"a"}});
  broker.run();
  broker.shard(0).close_all();
  EXPECT_EQ(records.newest(0).why, model::EndReason::kDrain);
}

}  // namespace
}  // namespace sluice::shard
