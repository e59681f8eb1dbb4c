#include "broker/shard/drop_log.h"

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::shard {
namespace {

using testing::ShardHarness;
using testing::TestClient;
using wire::GapReason;
using namespace std::chrono_literals;

constexpr base::MonotonicTime at(base::Duration time) { return base::MonotonicTime(time); }

std::uint64_t add(DropLog& log, std::uint64_t newest, const DropKey& key, const DropCount& lost,
                  base::MonotonicTime now) {
  if (log.try_grow(newest, key, lost, now)) return newest;
  DropRecord record;
  record.key = key;
  record.lost = lost;
  return log.add(std::move(record), newest, now);
}

TEST(DropLog, Losses_of_one_kind_within_a_second_are_one_record) {
  DropLog log(8);
  const DropKey key{.serial = 1};
  std::uint64_t newest = add(log, 0, key, {5, 6, 2, 20}, at(1s));
  newest = add(log, newest, key, {7, 9, 3, 30}, at(1900ms));
  EXPECT_EQ(log.newest(), 1U);
  EXPECT_EQ(log.find(1)->lost.first, 5U);
  EXPECT_EQ(log.find(1)->lost.last, 9U);
  EXPECT_EQ(log.find(1)->lost.count, 5U);
  EXPECT_EQ(log.find(1)->lost.bytes, 50U);
  EXPECT_EQ(log.find(1)->last_at, at(1900ms));
  newest = add(log, newest, key, {10, 10, 1, 10}, at(2s));
  EXPECT_EQ(newest, 2U);
  EXPECT_FALSE(DropLog::grows(*log.find(1), at(2s)));
  EXPECT_TRUE(DropLog::grows(*log.find(2), at(2s)));
}

TEST(DropLog, What_alternates_grows_several_records) {
  DropLog log(8);
  const DropKey a{.serial = 1, .topic = model::TopicSlot(1)};
  const DropKey b{.serial = 1, .topic = model::TopicSlot(2)};
  const DropKey c{.serial = 1, .reason = GapReason::kLagged, .topic = model::TopicSlot(1)};
  std::uint64_t newest = 0;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    for (const DropKey& key : {a, b, c}) newest = add(log, newest, key, {i, i, 1, 1}, at(1s));
  }
  EXPECT_EQ(log.newest(), 3U);
  EXPECT_EQ(log.find(2)->lost.count, 10U);
  EXPECT_EQ(log.find(4), nullptr);
}

TEST(DropLog, Is_a_ring) {
  DropLog log(3);
  for (std::uint64_t i = 1; i <= 7; ++i) add(log, 0, {.serial = i}, {i, i, 1, 1}, at(1s));
  EXPECT_EQ(log.oldest(), 5U);
  EXPECT_EQ(log.newest(), 7U);
  EXPECT_EQ(log.find(4), nullptr);
  EXPECT_EQ(log.find(5)->lost.first, 5U);
  EXPECT_EQ(log.find(7)->lost.first, 7U);
}

// A record that is gone does not grow, nor is another in its place taken for it.
TEST(DropLog, What_was_overrun_does_not_grow) {
  DropLog log(2);
  const DropKey key{.serial = 1};
  const std::uint64_t newest = add(log, 0, key, {1, 1, 1, 1}, at(1s));
  add(log, 0, {.serial = 2}, {1, 1, 1, 1}, at(1s));
  add(log, 0, {.serial = 3}, {1, 1, 1, 1}, at(1s));
  EXPECT_FALSE(log.try_grow(newest, key, {2, 2, 1, 1}, at(1s)));
}

TEST(DropLog, Each_drop_is_recorded_with_whose_it_was) {
  ShardHarness broker({.shards = 2});
  TestClient& pub = broker.connect(0, "pub");
  TestClient& local = broker.connect(1, "local");
  TestClient& sub = broker.connect(1, "reader");
  sub.subscribe({.filters = {"a.*"}, .max_messages = 2, .credit = 0, .name = "slow"});
  broker.run();
  pub.publish("a.x", {"1", "2"});
  broker.run();
  local.publish("a.y", {"3", "4", "5"});
  broker.run();
  const DropLog& log = broker.shard(1).core().drops;
  ASSERT_EQ(log.newest(), 2U);
  const DropRecord& first = *log.find(1);
  EXPECT_EQ(first.subscription, "slow");
  EXPECT_EQ(first.client, "reader");
  EXPECT_EQ(first.topic, "a.x");
  EXPECT_EQ(first.key.reason, GapReason::kDroppedOldest);
  EXPECT_EQ(first.lost.first, 1U);
  EXPECT_EQ(first.lost.last, 2U);
  EXPECT_EQ(first.publisher, "");  // of another shard
  EXPECT_EQ(first.key.publisher_shard.value(), 0U);
  const DropRecord& second = *log.find(2);
  EXPECT_EQ(second.topic, "a.y");
  EXPECT_EQ(second.publisher, "local");
  EXPECT_EQ(second.lost.count, 1U);
}

// Whatever way a message is lost, the log has it: the counts of both are the same.
TEST(DropLog, Agrees_with_the_ledger) {
  ShardHarness broker;
  TestClient& pub = broker.connect(0, "pub");
  TestClient& sub = broker.connect(0, "sub");
  const std::vector<std::string> ladders = {"drop_oldest", "drop_newest", "block:100ms,drop_newest",
                                            "block:50ms,drop_oldest", "drop_oldest"};
  for (std::uint32_t i = 0; i < ladders.size(); ++i) {
    sub.subscribe({.id = i + 1,
                   .filters = {"a"},
                   .overflow = ladders[i],
                   .max_messages = 3,
                   .max_lag_ns = i == 4 ? 30'000'000U : 0U,
                   .credit = 0});
  }
  broker.run();
  for (int i = 0; i < 20; ++i) {
    pub.publish("a", {"x", "y"});
    broker.pass(base::Duration(i * 10ms));
  }
  broker.pass(1s);
  std::array<std::uint64_t, queue::kGapReasons> logged{};
  const DropLog& log = broker.shard(0).core().drops;
  for (std::uint64_t number = log.oldest(); number <= log.newest(); ++number) {
    const DropRecord& record = *log.find(number);
    logged[queue::index_of(record.key.reason)] += record.lost.count;
  }
  for (std::size_t i = 0; i < queue::kGapReasons; ++i) {
    EXPECT_EQ(logged[i], broker.metrics(0).copies_dropped[i + 1].value()) << i;
  }
  EXPECT_GT(logged[queue::index_of(GapReason::kLagged)], 0U);
  EXPECT_GT(logged[queue::index_of(GapReason::kDroppedNewest)], 0U);
}

}  // namespace
}  // namespace sluice::shard
