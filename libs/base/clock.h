// clock.h: what time is it?
//
// Time is an argument or comes from an injected Clock; nothing else in the tree asks the system.
// Monotonic time measures and schedules; wall time is shown, and is what deadlines and timestamps
// on the wire are in.
//
// Owner:    whoever wires the program; everything else borrows it.
// Thread:   SystemClock: any thread. ManualClock: one thread.
// Units:    nanoseconds. MonotonicTime counts from an arbitrary start, WallTime from 1970 UTC.
// Tests:    tests/unit/libs/base/clock_test.cc

#pragma once

#include <chrono>
#include <cstdint>

namespace sluice::base {

using Duration = std::chrono::nanoseconds;

struct MonotonicTag {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicTag>;
};
struct WallTag {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<WallTag>;
};
using MonotonicTime = std::chrono::time_point<MonotonicTag, Duration>;
using WallTime = std::chrono::time_point<WallTag, Duration>;

/// Later than any time that occurs: "no deadline".
inline constexpr MonotonicTime kNever = MonotonicTime::max();

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime now() const noexcept = 0;
  virtual WallTime wall_now() const noexcept = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  MonotonicTime now() const noexcept override;
  WallTime wall_now() const noexcept override;
};

/// Stands still until it is moved. For tests and the simulator.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime(std::chrono::hours(24) * 365 * 50))
      : wall_start_(start) {}

  MonotonicTime now() const noexcept override { return MonotonicTime(elapsed_); }
  WallTime wall_now() const noexcept override { return wall_start_ + elapsed_; }
  void advance(Duration by) { elapsed_ += by; }

 private:
  WallTime wall_start_;
  Duration elapsed_{0};
};

/// Nanoseconds since 1970 as the wire carries them; 0 is kept for "none".
inline std::uint64_t to_wire(WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

}  // namespace sluice::base
