#include "cli/histogram.h"

#include <gtest/gtest.h>

#include "libs/base/random.h"

namespace sluice::cli {
namespace {

TEST(Histogram, EmptyIsAllZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.min(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_EQ(histogram.percentile(99), 0U);
  EXPECT_EQ(histogram.mean(), 0.0);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.percentile(1), 1U);
  EXPECT_EQ(histogram.percentile(50), 50U);
  EXPECT_EQ(histogram.percentile(99), 99U);
  EXPECT_EQ(histogram.percentile(99.9), 100U);
  EXPECT_EQ(histogram.percentile(100), 100U);
  EXPECT_EQ(histogram.min(), 1U);
  EXPECT_EQ(histogram.mean(), 50.5);
}

TEST(Histogram, APercentileIsAtMostOneStepAboveTheValue) {
  base::Random random(7);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t value = random.next() >> (random.next() % 64);
    Histogram histogram;
    histogram.record(value);
    // A second, larger one keeps the maximum from cutting the bucket's bound off.
    histogram.record(~std::uint64_t{0});
    const std::uint64_t found = histogram.percentile(50);
    ASSERT_GE(found, value);
    ASSERT_LE(static_cast<double>(found - value), static_cast<double>(value) / 128.0) << value;
  }
}

TEST(Histogram, TheWholeRangeOf64BitsFits) {
  Histogram histogram;
  histogram.record(0);
  histogram.record(~std::uint64_t{0});
  EXPECT_EQ(histogram.percentile(50), 0U);
  EXPECT_EQ(histogram.percentile(100), ~std::uint64_t{0});
}

TEST(Histogram, MergingIsTheSameAsRecordingAllInOne) {
  base::Random random(11);
  Histogram one;
  Histogram left;
  Histogram right;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = random.next() % 1'000'000;
    one.record(value);
    (i % 3 == 0 ? left : right).record(value);
  }
  left.merge(right);
  EXPECT_EQ(left.count(), one.count());
  EXPECT_EQ(left.min(), one.min());
  EXPECT_EQ(left.max(), one.max());
  EXPECT_DOUBLE_EQ(left.mean(), one.mean());
  for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    EXPECT_EQ(left.percentile(percent), one.percentile(percent)) << percent;
  }
}

}  // namespace
}  // namespace sluice::cli
