// limited_by_clock.h: accumulates the time that something spends in each limited-by state.
//
// The state itself stands beside the clock, with its owner: a clock is made when the first state
// but idle begins, so what has never done anything costs a pointer and a byte.
//
// Owner:    one Subscription or one Window.
// Thread:   the owner shard only.
// Units:    whole milliseconds; the rest of a change is carried on, so that sums stay true.
// Limits:   the last minute is kept in kSlots slots of kSlotMs, the last of them still running.
// Order:    times given do not fall.
// Tests:    tests/unit/broker/shard/limited_by_clock_test.cc

#pragma once

#include <array>
#include <cstdint>

#include "broker/model/limited_by_times.h"
#include "libs/base/clock.h"

namespace sluice::shard {

class LimitedByClock {
 public:
  static constexpr std::uint64_t kSlots = 4;
  static constexpr std::uint64_t kSlotMs = 20'000;

  explicit LimitedByClock(base::MonotonicTime since) noexcept : until_ms_(whole_ms(since)) {}

  /// The time since the last call, or since the beginning, was spent in `state`.
  void account(model::LimitedBy state, base::MonotonicTime now) noexcept;
  model::LimitedByTimes times() const noexcept;

 private:
  static std::uint64_t whole_ms(base::MonotonicTime time) noexcept {
    const std::int64_t ns = time.time_since_epoch().count();
    return ns <= 0 ? 0 : static_cast<std::uint64_t>(ns) / 1'000'000;
  }

  std::uint64_t until_ms_;  // accounted for up to here
  std::array<std::uint64_t, model::kLimitedByCount> total_ms_{};
  std::array<std::array<std::uint16_t, model::kLimitedByCount>, kSlots> slots_{};  // by slot number
};

}  // namespace sluice::shard
