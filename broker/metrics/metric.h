// metric.h: how does a shard count, so that a scrape can read while it counts?
//
// A value has one writer, its shard, which adds with a plain load and store: no lock prefix, no
// shared cache line. A scrape reads from another thread and sees each value whole; values read one
// after another need not belong to the same instant.
//
// Owner:    ShardMetrics.
// Thread:   add, set and observe: the owner shard only. Reads: any thread.
// Units:    counters count; histograms take durations and are exported in seconds.
// Limits:   histogram buckets from 1.024 us to 68.7 s, two per power of two, and one for more.
// Tests:    tests/unit/broker/metrics/metric_test.cc

#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "libs/base/assert.h"
#include "libs/base/clock.h"
#include "libs/base/result.h"

namespace sluice::metrics {

class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n = 1) noexcept { set(value() + n); }
  void sub(std::int64_t n = 1) noexcept { set(value() - n); }
  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// The number of words in "a|b|c".
constexpr std::size_t count_words(std::string_view words) {
  std::size_t count = 1;
  for (const char c : words) count += c == '|' ? 1 : 0;
  return count;
}

/// Counters told apart by an enumerator, whose number is the position of its word in metrics.def.
template <std::size_t kSize>
class CounterBy {
 public:
  template <typename Enum>
    requires std::is_enum_v<Enum>
  Counter& operator[](Enum which) noexcept {
    return (*this)[static_cast<std::size_t>(which)];
  }
  Counter& operator[](std::size_t position) noexcept {
    ASSERT(position < kSize);
    return counters_[position];
  }
  const Counter& operator[](std::size_t position) const noexcept {
    ASSERT(position < kSize);
    return counters_[position];
  }
  static constexpr std::size_t size() noexcept { return kSize; }

 private:
  std::array<Counter, kSize> counters_;
};

/// Gauges told apart by position.
template <std::size_t kSize>
class GaugeBy {
 public:
  template <typename Enum>
    requires std::is_enum_v<Enum>
  Gauge& operator[](Enum which) noexcept {
    return (*this)[static_cast<std::size_t>(which)];
  }
  Gauge& operator[](std::size_t position) noexcept {
    ASSERT(position < kSize);
    return gauges_[position];
  }
  const Gauge& operator[](std::size_t position) const noexcept {
    ASSERT(position < kSize);
    return gauges_[position];
  }
  static constexpr std::size_t size() noexcept { return kSize; }

 private:
  std::array<Gauge, kSize> gauges_;
};

inline constexpr std::array kErrorCodes = {
#define X(name, number, class_, text, remedy) base::ErrorCode::name,
#include "libs/base/errors.def"
#undef X
};

/// Counters told apart by an error code. Finding one is a search: not for the hot path.
class CounterByError {
 public:
  Counter& operator[](base::ErrorCode code) noexcept {
    std::size_t row = 0;
    while (row + 1 < kErrorCodes.size() && kErrorCodes[row] != code) ++row;
    return counters_[row];  // a code in no row counts as the last, kInternal
  }
  const Counter& row(std::size_t row) const noexcept { return counters_[row]; }

 private:
  std::array<Counter, kErrorCodes.size()> counters_;
};

/// Durations in buckets: up to 2^10 ns, then bounds of 1.5 x 2^k and 2^(k+1) ns up to 2^36 ns.
class Histogram {
 public:
  static constexpr std::size_t kFinite = 53;
  static constexpr std::size_t kBuckets = kFinite + 1;

  /// `n` observations of the same duration; a negative one counts as 0.
  void observe(base::Duration duration, std::uint64_t n = 1) noexcept {
    const std::int64_t ns = duration.count() > 0 ? duration.count() : 0;
    buckets_[bucket_of(ns)].add(n);
    sum_ns_.add(static_cast<std::uint64_t>(ns) * n);
  }

  /// The bucket whose upper bound is the first that is not less than `ns`.
  static constexpr std::size_t bucket_of(std::int64_t ns) noexcept {
    if (ns <= 1 << kFirstBits) return 0;
    const auto below = static_cast<std::uint64_t>(ns - 1);
    const auto top = static_cast<std::size_t>(std::bit_width(below)) - 1;
    const std::size_t upper_half = (below >> (top - 1)) & 1;
    const std::size_t bucket = 2 * (top - kFirstBits) + 1 + upper_half;
    return bucket < kFinite ? bucket : kFinite;
  }
  /// The inclusive upper bound of a finite bucket. Requires: bucket < kFinite.
  static constexpr std::uint64_t bound_ns(std::size_t bucket) noexcept {
    const std::uint64_t power = std::uint64_t{1} << (kFirstBits + bucket / 2);
    return bucket % 2 == 0 ? power : power + power / 2;
  }

  std::uint64_t bucket(std::size_t bucket) const noexcept { return buckets_[bucket].value(); }
  std::uint64_t sum_ns() const noexcept { return sum_ns_.value(); }

 private:
  static constexpr std::size_t kFirstBits = 10;
  std::array<Counter, kBuckets> buckets_;
  Counter sum_ns_;
};

}  // namespace sluice::metrics
