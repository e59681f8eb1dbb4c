#include "broker/metrics/metric.h"

#include <gtest/gtest.h>
#include <thread>

namespace sluice::metrics {
namespace {

using std::chrono::nanoseconds;

TEST(Counter, Adds_up) {
  Counter counter;
  EXPECT_EQ(counter.value(), 0U);
  counter.add();
  counter.add(41);
  EXPECT_EQ(counter.value(), 42U);
}

TEST(Gauge, Goes_up_and_down) {
  Gauge gauge;
  gauge.add(5);
  gauge.sub(7);
  EXPECT_EQ(gauge.value(), -2);
  gauge.set(3);
  EXPECT_EQ(gauge.value(), 3);
}

TEST(Counter, One_thread_reads_while_another_counts) {
  Counter counter;
  std::thread writer([&counter] {
    for (int i = 0; i < 100'000; ++i) counter.add();
  });
  std::uint64_t last = 0;
  while (last < 100'000) {
    const std::uint64_t value = counter.value();
    ASSERT_GE(value, last);
    last = value;
  }
  writer.join();
}

TEST(CounterBy, Positions_are_those_of_the_enumerators) {
  enum class Which { kA, kB };
  CounterBy<count_words("a|b")> counters;
  counters[Which::kB].add(2);
  EXPECT_EQ(counters[std::size_t{0}].value(), 0U);
  EXPECT_EQ(counters[std::size_t{1}].value(), 2U);
}

TEST(CounterByError, Finds_the_row_of_a_code) {
  CounterByError counters;
  counters[base::ErrorCode::kBadFrame].add();
  counters[base::ErrorCode::kQueueFull].add(2);
  std::uint64_t sum = 0;
  for (std::size_t row = 0; row < kErrorCodes.size(); ++row) {
    const std::uint64_t value = counters.row(row).value();
    sum += value;
    if (kErrorCodes[row] == base::ErrorCode::kBadFrame) {
      EXPECT_EQ(value, 1U);
    }
  }
  EXPECT_EQ(sum, 3U);
}

TEST(CounterByError, A_code_in_no_row_counts_as_internal) {
  CounterByError counters;
  counters[base::ErrorCode::kNone].add();
  EXPECT_EQ(kErrorCodes.back(), base::ErrorCode::kInternal);
  EXPECT_EQ(counters.row(kErrorCodes.size() - 1).value(), 1U);
}

TEST(Histogram, Bounds_rise_by_halves_and_thirds) {
  EXPECT_EQ(Histogram::bound_ns(0), 1024U);
  EXPECT_EQ(Histogram::bound_ns(1), 1536U);
  EXPECT_EQ(Histogram::bound_ns(2), 2048U);
  EXPECT_EQ(Histogram::bound_ns(Histogram::kFinite - 1), std::uint64_t{1} << 36);
}

TEST(Histogram, Every_bound_belongs_to_its_own_bucket) {
  for (std::size_t bucket = 0; bucket < Histogram::kFinite; ++bucket) {
    const auto bound = static_cast<std::int64_t>(Histogram::bound_ns(bucket));
    EXPECT_EQ(Histogram::bucket_of(bound), bucket);
    EXPECT_EQ(Histogram::bucket_of(bound + 1), bucket + 1);
  }
  EXPECT_EQ(Histogram::bucket_of(0), 0U);
  EXPECT_EQ(Histogram::bucket_of(1), 0U);
  EXPECT_EQ(Histogram::bucket_of(INT64_MAX), Histogram::kFinite);
}

TEST(Histogram, Sums_what_it_observes) {
  Histogram histogram;
  histogram.observe(nanoseconds(1500), 3);
  histogram.observe(nanoseconds(-5));
  EXPECT_EQ(histogram.bucket(1), 3U);
  EXPECT_EQ(histogram.bucket(0), 1U) << "a negative duration counts as 0";
  EXPECT_EQ(histogram.sum_ns(), 4500U);
}

}  // namespace
}  // namespace sluice::metrics
