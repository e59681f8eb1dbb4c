#include "broker/shard/limited_by_clock.h"

#include <algorithm>

namespace sluice::shard {

void LimitedByClock::account(model::LimitedBy state, base::MonotonicTime now) noexcept {
  const std::uint64_t end = whole_ms(now);
  if (end <= until_ms_) return;
  const auto at = static_cast<std::size_t>(state);
  total_ms_[at] += end - until_ms_;
  // What lies further back than all slots reach leaves no trace in them.
  const std::uint64_t reach = (kSlots - 1) * kSlotMs;
  const std::uint64_t newest = end / kSlotMs;
  std::uint64_t slot = until_ms_ / kSlotMs;
  if (newest - slot >= kSlots) {
    slots_ = {};
    until_ms_ = newest * kSlotMs - reach;
    slot = newest - (kSlots - 1);
  }
  for (; until_ms_ < end; ++slot) {
    const std::uint64_t slot_end = std::min(end, (slot + 1) * kSlotMs);
    slots_[slot % kSlots][at] += static_cast<std::uint16_t>(slot_end - until_ms_);
    until_ms_ = slot_end;
    if (slot_end == (slot + 1) * kSlotMs) slots_[(slot + 1) % kSlots] = {};
  }
}

model::LimitedByTimes LimitedByClock::times() const noexcept {
  model::LimitedByTimes out;
  out.total_ms = total_ms_;
  for (const auto& slot : slots_) {
    for (std::size_t i = 0; i < slot.size(); ++i) out.recent_ms[i] += slot[i];
  }
  return out;
}

}  // namespace sluice::shard
