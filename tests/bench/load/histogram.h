// histogram.h: what are the percentiles of these latencies?
//
// A log-linear histogram, as HdrHistogram's: every power of two is cut into 128 equal steps, so a
// percentile is at most 0.8 % above the value that was recorded, over the whole range.
//
// Owner:    whoever measures.
// Thread:   owner thread only.
// Units:    any unsigned integer; here nanoseconds.
// Limits:   the full range of 64 bits; 58 KiB.
// Tests:    tests/unit/tests/bench/load/histogram_test.cc

#pragma once

#include <cstdint>
#include <vector>

namespace sluice::bench {

class Histogram {
 public:
  Histogram();

  void record(std::uint64_t value) noexcept {
    ++counts_[index_of(value)];
    ++total_;
    if (value > max_) max_ = value;
  }

  std::uint64_t count() const noexcept { return total_; }
  std::uint64_t max() const noexcept { return max_; }

  /// The smallest bound that at least `percent` of the values do not exceed; 0 when empty.
  /// Requires: 0 < percent <= 100.
  std::uint64_t percentile(double percent) const noexcept;

 private:
  static std::size_t index_of(std::uint64_t value) noexcept;
  static std::uint64_t highest_in(std::size_t index) noexcept;

  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace sluice::bench
