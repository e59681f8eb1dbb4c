// token_bucket.h: may so much pass now, and if not, when?
//
// A bucket holds up to `burst` tokens and is filled with `rate` of them a second. It is kept as one
// word, the time at which it will be full again (GCRA's theoretical arrival time), so that taking
// is one compare-and-swap and any number of threads may share a bucket: together they never get
// more than rate * time + burst. A bucket that one thread has for itself costs the same.
//
// More than the burst can never be there at once: such an amount passes when the bucket is full,
// and leaves a debt. take_in_debt() always takes and tells when the debt is due, so that those who
// wait are served in the order in which they came.
//
// Owner:    whoever limits something; does not allocate.
// Thread:   any thread; reshape() by one at a time, while others take.
// Units:    tokens (messages, bytes) and tokens per second; kept in sixteenths of a nanosecond,
//           rounded against the one who takes.
// Limits:   rate 1 to kRateMax, burst 1 to a day's worth of the rate (kBurstSeconds).
// Source:   ITU-T I.371 (GCRA), docs/decisions/0007-shared-token-buckets.md
// Tests:    tests/unit/libs/async/token_bucket_test.cc, token_bucket_threads_test.cc

#pragma once

#include <atomic>
#include <cstdint>

#include "libs/base/clock.h"

namespace sluice::async {

class TokenBucket {
 public:
  static constexpr std::uint64_t kRateMax = 10'000'000'000;
  static constexpr std::uint64_t kBurstSeconds = 86'400;

  /// Full at first. Requires: the limits above.
  TokenBucket(std::uint64_t rate, std::uint64_t burst) noexcept;
  TokenBucket(const TokenBucket&) = delete;
  TokenBucket& operator=(const TokenBucket&) = delete;

  /// When an amount can be had: at `now` or before it was, later it was not taken.
  struct Taken {
    bool ok = false;
    base::MonotonicTime when;  // not ok: try again then; somebody else may be faster
  };
  /// All of `n`, or nothing.
  Taken try_take(std::uint64_t n, base::MonotonicTime now) noexcept;
  /// As many of `n` as are there; returns how many.
  std::uint64_t take_up_to(std::uint64_t n, base::MonotonicTime now) noexcept;
  /// Takes `n` in any case. Returns when they are there, at the earliest `now`; who takes later
  /// is never told an earlier time.
  base::MonotonicTime take_in_debt(std::uint64_t n, base::MonotonicTime now) noexcept;
  /// Undoes taking `n`.
  void give_back(std::uint64_t n) noexcept;

  /// Tokens there now; below 0 in debt.
  std::int64_t level(base::MonotonicTime now) const noexcept;
  bool full(base::MonotonicTime now) const noexcept;
  std::uint64_t rate() const noexcept { return rate_.load(std::memory_order_relaxed); }
  std::uint64_t burst() const noexcept { return burst_.load(std::memory_order_relaxed); }

  /// Another rate and burst. The level stays, but for what is above the new burst; who takes at the
  /// same moment may be charged by either rate.
  void reshape(std::uint64_t rate, std::uint64_t burst, base::MonotonicTime now) noexcept;

 private:
  using Ticks = std::int64_t;

  Ticks cost(std::uint64_t n) const noexcept;
  Ticks tolerance() const noexcept { return cost(burst()); }
  std::int64_t tokens_in(Ticks ticks) const noexcept;

  std::atomic<Ticks> full_at_;
  std::atomic<std::uint64_t> rate_;
  std::atomic<std::uint64_t> burst_;
};

}  // namespace sluice::async
