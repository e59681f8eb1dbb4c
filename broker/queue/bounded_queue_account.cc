// The part of BoundedQueue that says what it holds and where everything went.

#include <algorithm>
#include <utility>

#include "broker/queue/bounded_queue.h"
#include "libs/base/assert.h"

namespace sluice::queue {

void BoundedQueue::shrink() {
  if (entries_.empty() && !has_waiting()) end_conflation();
  entries_.shrink();
  if (rare_ == nullptr) return;
  rare_->waiting.shrink();
  rare_->gaps.shrink();
  if (rare_->spill != nullptr) rare_->spill->shrink();
  if (oldest() == nullptr) rare_->sweep_at = base::kNever;
  if (rare_->losses.empty()) rare_->losses.shrink_to_fit();
  if (rare_->settled.empty()) rare_->settled.shrink_to_fit();
  const bool blank = rare_->waiting.empty() && rare_->gaps.empty() && rare_->settled.empty() &&
                     rare_->reserved_bytes == 0 && rare_->discarded == 0 && fits(0, 0) &&
                     rare_->losses.empty() && rare_->conflation == nullptr &&
                     rare_->spill == nullptr && rare_->in_flight_messages == 0 &&
                     rare_->ceiling == kNoCeiling && rare_->dropped_total == 0;
  if (blank && rare_->sweep_at == base::kNever) rare_.reset();
}

Item BoundedQueue::deal(Credit& credit, base::MonotonicTime now, std::uint32_t limit_messages) {
  Item item = take(credit, now, limit_messages);
  const auto* delivery = std::get_if<Delivery>(&item);
  if (delivery == nullptr) return item;
  hold_in_flight(delivery->slice.count, delivery->slice.records + kSliceOverhead);
  if (has_behind()) move_in(now);  // what is in flight takes its room, but perhaps not all
  return item;
}

void BoundedQueue::hold_in_flight(std::uint64_t messages, std::uint64_t bytes) {
  if (messages == 0) return;
  ASSERT(delivered_ >= messages);
  delivered_ -= messages;
  Rare& state = rare();
  state.in_flight_messages += messages;
  state.in_flight_bytes += bytes;
  tolerate_excess();  // others may have taken the place meanwhile
}

void BoundedQueue::release_in_flight(std::uint64_t messages, std::uint64_t bytes) {
  if (messages == 0) return;
  ASSERT(rare_ != nullptr && rare_->in_flight_messages >= messages);
  ASSERT(rare_->in_flight_bytes >= bytes);
  rare_->in_flight_messages -= messages;
  rare_->in_flight_bytes -= bytes;
  delivered_ += messages;
  rare_->room_came = has_behind();
}

void BoundedQueue::discard_in_flight(std::uint64_t messages, std::uint64_t bytes) {
  if (messages == 0) return;
  release_in_flight(messages, bytes);
  delivered_ -= messages;
  rare_->discarded += messages;
}

void BoundedQueue::release_in_flight() {
  if (rare_ != nullptr) release_in_flight(rare_->in_flight_messages, rare_->in_flight_bytes);
}

std::uint64_t BoundedQueue::set_ceiling(std::uint64_t bytes, base::MonotonicTime now) {
  const bool both = spills() && rare_->spill->in_memory();
  if (bytes >= bounds_.max_bytes + (both ? ladder_.spill_bytes : 0)) bytes = kNoCeiling;
  if (rare_ == nullptr && bytes == kNoCeiling) return 0;
  Rare& state = rare();
  const bool rises = bytes > state.ceiling;
  state.ceiling = bytes;
  const std::uint64_t squeezed = ladder_.gives_way() ? squeeze() : 0;
  tolerate_excess();
  if (rises || has_spilled()) move_in(now);
  return squeezed;
}

// The oldest go until the rest is within the ceiling. How many.
std::uint64_t BoundedQueue::squeeze() {
  const std::uint64_t ceiling = rare_->ceiling;
  const std::uint64_t most =
      ceiling - std::min(ceiling, rare_->reserved_bytes + rare_->in_flight_bytes);
  std::uint64_t squeezed = 0;
  while (oldest() != nullptr && bytes_in_memory() > most) {
    const model::Slice& front = oldest()->slice;
    std::uint32_t lost = conflates_ ? 1 : front.count;
    if (!conflates_ && !entries_.empty()) {
      lost = std::min(front.count, front.count_within(bytes_in_memory() - most - 1) + 1);
    }
    drop_oldest(lost, wire::GapReason::kSqueezed);
    squeezed += lost;
  }
  return squeezed;
}

std::vector<Loss> BoundedQueue::take_losses() {
  return rare_ == nullptr ? std::vector<Loss>{} : std::exchange(rare_->losses, {});
}

}  // namespace sluice::queue
