#include "broker/metrics/snapshot.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <thread>

namespace sluice::metrics {
namespace {

class SnapshotTest : public testing::Test {
 protected:
  const Family& family(std::string_view name) {
    snapshot_ = collect(shards_, node_, {"1.2.3", "g++"});
    const auto found = std::find_if(snapshot_.begin(), snapshot_.end(),
                                    [&](const Family& f) { return f.name == name; });
    if (found == snapshot_.end()) {
      ADD_FAILURE() << "no family " << name;
      return snapshot_.front();
    }
    return *found;
  }
  double series(std::string_view name, std::string_view label_value) {
    for (const Series& candidate : family(name).series) {
      if (candidate.labels.at(0).value == label_value) return candidate.value;
    }
    ADD_FAILURE() << "no series " << label_value;
    return -1;
  }

  ShardMetrics first_;
  ShardMetrics second_;
  std::array<const ShardMetrics*, 2> shards_ = {&first_, &second_};
  NodeMetrics node_;
  Snapshot snapshot_;
};

TEST_F(SnapshotTest, Sums_over_shards) {
  first_.received_bytes.add(10);
  second_.received_bytes.add(5);
  first_.connections.set(3);
  second_.connections.set(4);
  EXPECT_EQ(family("sluice_received_bytes_total").series.at(0).value, 15);
  EXPECT_EQ(family("sluice_received_bytes_total").kind, FamilyKind::kCounter);
  EXPECT_EQ(family("sluice_connections").series.at(0).value, 7);
  EXPECT_EQ(family("sluice_connections").kind, FamilyKind::kGauge);
}

TEST_F(SnapshotTest, A_gauge_that_is_negative_in_one_shard_sums_up) {
  first_.mailbox_entries.set(5);
  second_.mailbox_entries.set(-3);
  EXPECT_EQ(family("sluice_mailbox_entries").series.at(0).value, 2);
  first_.mailbox_entries.set(1);
  EXPECT_EQ(family("sluice_mailbox_entries").series.at(0).value, -2);
}

TEST_F(SnapshotTest, Words_become_labels_and_a_hyphen_has_no_series) {
  second_.copies_dropped[std::size_t{1}].add(7);
  first_.connections_closed[CloseReason::kSlowConsumer].add(2);
  EXPECT_EQ(series("sluice_copies_dropped_total", "dropped_oldest"), 7);
  EXPECT_EQ(series("sluice_copies_dropped_total", "rejected"), 0);
  EXPECT_EQ(family("sluice_copies_dropped_total").series.size(), 11U);
  EXPECT_EQ(series("sluice_connections_closed_total", "slow_consumer"), 2);
}

TEST_F(SnapshotTest, Several_labels_have_a_word_each_and_nanoseconds_become_seconds) {
  first_.limited_by[11].add(1'500'000'000);
  first_.limited_by_now[2].set(3);
  const Family& spent = family("sluice_limited_by_seconds_total");
  ASSERT_EQ(spent.series.size(), 20U);
  const Series& series = spent.series[11];
  EXPECT_EQ(series.value, 1.5);
  ASSERT_EQ(series.labels.size(), 2U);
  EXPECT_EQ(series.labels[0].name + "=" + series.labels[0].value, "kind=publisher");
  EXPECT_EQ(series.labels[1].name + "=" + series.labels[1].value, "state=delivering");
  EXPECT_EQ(family("sluice_limited_by").series[2].value, 3);
}

TEST_F(SnapshotTest, Errors_are_shown_by_name_once_they_occur) {
  const Snapshot empty = collect(shards_, node_, {});
  EXPECT_TRUE(std::none_of(empty.begin(), empty.end(), [](const Family& f) {
    return f.name == "sluice_protocol_errors_total";
  }));
  first_.protocol_errors[base::ErrorCode::kBadChecksum].add(2);
  EXPECT_EQ(series("sluice_protocol_errors_total", "bad-checksum"), 2);
  EXPECT_EQ(family("sluice_protocol_errors_total").series.size(), 1U);
}

TEST_F(SnapshotTest, Histograms_are_cumulative_and_in_seconds) {
  first_.queue_time.observe(std::chrono::nanoseconds(1000));
  second_.queue_time.observe(std::chrono::seconds(1), 2);
  second_.queue_time.observe(std::chrono::hours(1));
  const Family& times = family("sluice_queue_time_seconds");
  EXPECT_EQ(times.kind, FamilyKind::kHistogram);
  ASSERT_EQ(times.buckets.size(), Histogram::kFinite);
  EXPECT_DOUBLE_EQ(times.buckets.front().bound_seconds, 1.024e-6);
  EXPECT_EQ(times.buckets.front().cumulative, 1U);
  EXPECT_EQ(times.buckets.back().cumulative, 3U);
  EXPECT_EQ(times.count, 4U);
  EXPECT_DOUBLE_EQ(times.sum_seconds, 3602.000001);
  EXPECT_TRUE(std::is_sorted(
      times.buckets.begin(), times.buckets.end(),
      [](const Bucket& a, const Bucket& b) { return a.bound_seconds < b.bound_seconds; }));
}

TEST_F(SnapshotTest, The_node_and_the_build_are_there) {
  node_.memory_budget = 1024;
  EXPECT_EQ(family("sluice_memory_budget_bytes").series.at(0).value, 1024);
  EXPECT_EQ(series("sluice_build_info", "1.2.3"), 1);
}

TEST_F(SnapshotTest, Names_are_unique_and_follow_the_rules) {
  std::set<std::string> names;
  for (const Family& f : collect(shards_, node_, {})) {
    const std::string name(f.name);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_TRUE(std::regex_match(name, std::regex("(sluice|process)_[a-z_]+"))) << name;
    EXPECT_EQ(f.kind == FamilyKind::kCounter, name.ends_with("_total")) << name;
    if (f.kind == FamilyKind::kHistogram) {
      EXPECT_TRUE(name.ends_with("_seconds")) << name;
    }
    EXPECT_TRUE(f.text.ends_with('.')) << name;
  }
}

TEST_F(SnapshotTest, Can_be_taken_while_a_shard_counts) {
  std::atomic<bool> done{false};
  std::thread shard([&] {
    for (int i = 0; i < 2'000; ++i) {
      first_.publish_to_receipt.observe(std::chrono::microseconds(i));
      first_.published_messages.add();
      first_.balance_ledger();
    }
    done = true;
  });
  double last = 0;
  while (!done) {
    const double value = family("sluice_published_messages_total").series.at(0).value;
    EXPECT_GE(value, last);
    last = value;
  }
  shard.join();
  EXPECT_EQ(family("sluice_published_messages_total").series.at(0).value, 2'000);
}

}  // namespace
}  // namespace sluice::metrics
