// limited_by_times.h: how long was a subscription or a publisher in each limited-by state?
//
// Owner:    values, made on the shard's thread and handed to another.
// Thread:   any once made.
// Units:    milliseconds.

#pragma once

#include <array>
#include <cstdint>
#include <numeric>

#include "broker/model/limited_by.h"

namespace sluice::model {

struct LimitedByTimes {
  std::array<std::uint64_t, kLimitedByCount> total_ms{};
  /// The same for the time just past: about the last minute, `recent_span_ms` of it.
  std::array<std::uint64_t, kLimitedByCount> recent_ms{};

  std::uint64_t recent_span_ms() const noexcept {
    return std::accumulate(recent_ms.begin(), recent_ms.end(), std::uint64_t{0});
  }
  /// 0 to 1; 0 when nothing was measured yet.
  double share(LimitedBy state) const noexcept {
    const std::uint64_t span = recent_span_ms();
    const auto in_state = static_cast<double>(recent_ms[static_cast<std::size_t>(state)]);
    return span == 0 ? 0 : in_state / static_cast<double>(span);
  }
};

}  // namespace sluice::model
