// histogram.h: what are the percentiles of these latencies?
//
// Log-linear as HdrHistogram: each power of two is cut into 128 equal steps, so a percentile is at
// most 0.8 % above what was recorded, over the whole range.
//
// Owner:    whoever measures; one per thread, merged at the end.
// Thread:   owner thread only.
// Units:    any unsigned integer; here nanoseconds.
// Limits:   the full range of 64 bits, in 58 KiB.
// Tests:    tests/unit/cli/histogram_test.cc

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::cli {

class Histogram {
 public:
  Histogram();

  void record(std::uint64_t value) noexcept;
  void merge(const Histogram& other) noexcept;

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
  std::uint64_t max() const noexcept { return max_; }
  double mean() const noexcept;

  /// The smallest bound that at least `percent` of the values do not exceed; 0 when empty.
  /// Requires: 0 < percent <= 100.
  std::uint64_t percentile(double percent) const noexcept;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ = ~std::uint64_t{0};
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace sluice::cli
