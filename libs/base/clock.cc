#include "libs/base/clock.h"

#include <ctime>

namespace sluice::base {
namespace {

Duration read(clockid_t id) noexcept {
  timespec now{};
  clock_gettime(id, &now);
  return std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec);
}

}  // namespace

MonotonicTime SystemClock::now() const noexcept { return MonotonicTime(read(CLOCK_MONOTONIC)); }
WallTime SystemClock::wall_now() const noexcept { return WallTime(read(CLOCK_REALTIME)); }

}  // namespace sluice::base
