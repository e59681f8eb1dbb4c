// limited_by.h: what keeps a subscription or a publisher from going faster, right now?
//
// Each is in exactly one of these states at any time.
//
// Thread:   values; any thread.
// Source:   docs/ARCHITECTURE.md, section Explain.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::model {

enum class LimitedBy : std::uint8_t {
  kIdle,           // nothing to do
  kDelivering,     // nothing: it goes as fast as it is fed
  kWaitingCredit,  // the subscriber has granted no more
  kAckWindowFull,  // the subscriber has too much that it has not acknowledged
  kRateLimited,    // by a limit, which is named
  kTcpWindow,      // the peer's socket takes no more
  kDiskRead,       // history, or what was spilled, is being read
  kBreakerOpen,    // the store's breaker is open
  kPaused,         // by an operator
  kBlockedBy,      // by a subscription that is full and whose ladder says block; it is named
};
inline constexpr std::size_t kLimitedByCount = 10;

inline constexpr std::array<std::string_view, kLimitedByCount> kLimitedByNames = {
    "idle",       "delivering", "waiting_credit", "ack_window_full", "rate_limited",
    "tcp_window", "disk_read",  "breaker_open",   "paused",          "blocked_by"};

}  // namespace sluice::model
