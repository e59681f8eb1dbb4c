#include "tests/bench/load/histogram.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "libs/base/random.h"

namespace sluice::bench {
namespace {

TEST(Histogram, AnEmptyOneHasNoPercentiles) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.percentile(99), 0U);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.percentile(50), 50U);
  EXPECT_EQ(histogram.percentile(99), 99U);
  EXPECT_EQ(histogram.percentile(99.9), 100U);
  EXPECT_EQ(histogram.percentile(100), 100U);
}

TEST(Histogram, EveryPowerOfTwoAndItsNeighboursAreWithinOnePercent) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t delta : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{1}}) {
      const std::uint64_t value = (std::uint64_t{1} << bit) + delta;
      Histogram histogram;
      histogram.record(value);
      histogram.record(~std::uint64_t{0});  // so that the maximum does not bound the answer
      const std::uint64_t read = histogram.percentile(50);
      EXPECT_GE(read, value);
      EXPECT_LE(static_cast<double>(read), static_cast<double>(value) * 1.008) << value;
    }
  }
}

TEST(Histogram, PercentilesOfRandomValuesAreThoseOfTheSortedList) {
  base::Random random(7);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(random.next() >> (random.next() % 50));
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(percent / 100.0 * static_cast<double>(values.size())));
    const std::uint64_t exact = values[rank - 1];
    const std::uint64_t read = histogram.percentile(percent);
    EXPECT_GE(read, exact) << percent;
    EXPECT_LE(static_cast<double>(read), static_cast<double>(exact) * 1.008) << percent;
  }
  EXPECT_EQ(histogram.max(), values.back());
}

}  // namespace
}  // namespace sluice::bench
