#include "broker/flow/drain_rate.h"

namespace sluice::flow {

void DrainRate::observe(base::MonotonicTime now, std::uint64_t left,
                        std::uint64_t queued) noexcept {
  if (queued == 0) {
    // It keeps up: whatever was known of it is no bound any more.
    sampling_ = false;
    per_second_ = -1;
    return;
  }
  if (!sampling_) {
    sampling_ = true;
    since_ = now;
    left_then_ = left;
    return;
  }
  const base::Duration passed = now - since_;
  if (passed < kSample) return;
  const float seconds = std::chrono::duration<float>(passed).count();
  // Deliveries that come back may make it fall.
  const float messages = left > left_then_ ? static_cast<float>(left - left_then_) : 0.F;
  const float sample = messages / seconds;
  per_second_ = per_second_ < 0 ? sample : (per_second_ + sample) / 2;
  if (per_second_ < 0.001F) per_second_ = 0;
  since_ = now;
  left_then_ = left;
}

std::optional<base::Duration> DrainRate::wait(std::uint64_t queued) const noexcept {
  if (queued == 0) return base::Duration(0);
  if (per_second_ < 0) return std::nullopt;
  if (per_second_ == 0) return kForever;
  const double seconds = static_cast<double>(queued) / static_cast<double>(per_second_);
  constexpr double kLongest = 1e9;  // seconds; what a Duration holds is not much more
  if (seconds >= kLongest) return kForever;
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace sluice::flow
