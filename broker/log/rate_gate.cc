#include "broker/log/rate_gate.h"

namespace sluice::log {

bool RateGate::admit(Level level, std::string_view event, base::MonotonicTime now,
                     std::vector<Suppressed>& over) {
  Key key{level, std::string(event)};
  if (kinds_.size() >= kKindsMax && !kinds_.contains(key)) key.event = "other events";
  auto [kind, is_new] = kinds_.try_emplace(key);
  Window& window = kind->second;
  if (is_new || now >= window.end) {
    if (window.suppressed > 0) over.push_back({key.level, key.event, window.suppressed});
    window = {now + window_, 0, 0};
  }
  if (window.written < burst_) {
    ++window.written;
    return true;
  }
  ++window.suppressed;
  return false;
}

std::vector<Suppressed> RateGate::take_over(base::MonotonicTime now) {
  std::vector<Suppressed> over;
  for (auto& [key, window] : kinds_) {
    if (window.suppressed == 0 || now < window.end) continue;
    over.push_back({key.level, key.event, window.suppressed});
    window.suppressed = 0;
  }
  return over;
}

}  // namespace sluice::log
