// rate_gate.h: may this line still be written, or is it only counted?
//
// Windows are fixed: the first event of a kind opens one, and the first after its end opens the
// next. That allows twice the burst around a border, and keeps a few bytes per kind.
//
// Owner:    a Logger, under its lock.
// Thread:   one at a time.
// Limits:   kKindsMax kinds; all further ones share one window, named "other events".
// Tests:    tests/unit/broker/log/rate_gate_test.cc

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "broker/log/logger.h"

namespace sluice::log {

inline constexpr std::size_t kKindsMax = 256;

/// What a window that is over has kept back.
struct Suppressed {
  Level level;
  std::string event;
  std::uint64_t count;
};

class RateGate {
 public:
  RateGate(std::uint32_t burst, base::Duration window) : burst_(burst), window_(window) {}

  /// True when the event is to be written. What its last window kept back goes to `over`.
  bool admit(Level level, std::string_view event, base::MonotonicTime now,
             std::vector<Suppressed>& over);

  /// Takes what windows that have ended before `now` kept back; kNever: all windows.
  std::vector<Suppressed> take_over(base::MonotonicTime now);

 private:
  struct Key {
    Level level;
    std::string event;
    auto operator<=>(const Key&) const = default;
  };
  struct Window {
    base::MonotonicTime end;
    std::uint32_t written = 0;
    std::uint64_t suppressed = 0;
  };

  std::uint32_t burst_;
  base::Duration window_;
  std::map<Key, Window> kinds_;
};

}  // namespace sluice::log
