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
  if (entries_.empty()) rare_->sweep_at = base::kNever;
  if (rare_->losses.empty()) rare_->losses.shrink_to_fit();
  if (rare_->settled.empty()) rare_->settled.shrink_to_fit();
  const bool blank = rare_->waiting.empty() && rare_->gaps.empty() && rare_->settled.empty() &&
                     rare_->reserved_bytes == 0 && rare_->discarded == 0 && fits(0, 0) &&
                     rare_->losses.empty() && rare_->conflation == nullptr &&
                     rare_->in_flight_messages == 0 && rare_->ceiling == kNoCeiling &&
                     rare_->dropped_total == 0;
  if (blank && rare_->sweep_at == base::kNever) rare_.reset();
}

std::size_t BoundedQueue::memory_bytes() const noexcept {
  if (rare_ == nullptr) return entries_.memory_bytes();
  return entries_.memory_bytes() + sizeof(Rare) + rare_->waiting.memory_bytes() +
         rare_->gaps.memory_bytes() + rare_->settled.capacity() * sizeof(Settled) +
         rare_->losses.capacity() * sizeof(Loss) +
         (rare_->conflation ? rare_->conflation->memory_bytes() : 0);
}

std::uint64_t BoundedQueue::slices() const noexcept {
  return std::uint64_t{entries_.size()} + (has_waiting() ? rare_->waiting.size() : 0);
}

Ledger BoundedQueue::ledger() const noexcept {
  Ledger ledger;
  ledger.matched = next_sequence_ - 1;  // each message takes the next number
  ledger.delivered = delivered_;
  ledger.queued = queued_;
  if (rare_ != nullptr) {
    ledger.in_flight = rare_->in_flight_messages;
    ledger.waiting = rare_->waiting_messages;
    ledger.discarded = rare_->discarded;
    ledger.dropped = rare_->dropped;
  }
  return ledger;
}

Totals BoundedQueue::totals() const noexcept {
  Totals totals;
  totals.matched = next_sequence_ - 1;
  totals.handed = delivered_;
  totals.queued = queued_;
  totals.held_bytes = held_bytes_;
  if (rare_ == nullptr) return totals;
  totals.handed += rare_->in_flight_messages;
  totals.in_flight = rare_->in_flight_messages;
  totals.waiting = rare_->waiting_messages;
  totals.discarded = rare_->discarded;
  totals.dropped = rare_->dropped_total;
  return totals;
}

Item BoundedQueue::deal(Credit& credit, base::MonotonicTime now, std::uint32_t limit_messages) {
  Item item = take(credit, now, limit_messages);
  const auto* delivery = std::get_if<Delivery>(&item);
  if (delivery == nullptr) return item;
  hold_in_flight(delivery->slice.count, delivery->slice.records + kSliceOverhead);
  if (has_waiting()) move_in(now);  // what is in flight takes its room, but perhaps not all
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

// What is held now may stay, though the room for it has shrunk.
void BoundedQueue::tolerate_excess() {
  if (fits(0, 0)) return;
  Rare& state = rare();
  const std::uint64_t messages = messages_max();
  const std::uint64_t bytes = bytes_max();
  if (queued_ > messages) state.over_messages = std::max(state.over_messages, queued_ - messages);
  if (held_bytes_ > bytes) state.over_bytes = std::max(state.over_bytes, held_bytes_ - bytes);
}

void BoundedQueue::release_in_flight(std::uint64_t messages, std::uint64_t bytes) {
  if (messages == 0) return;
  ASSERT(rare_ != nullptr && rare_->in_flight_messages >= messages);
  ASSERT(rare_->in_flight_bytes >= bytes);
  rare_->in_flight_messages -= messages;
  rare_->in_flight_bytes -= bytes;
  delivered_ += messages;
  rare_->room_came = has_waiting();
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
  if (bytes >= bounds_.max_bytes) bytes = kNoCeiling;
  if (rare_ == nullptr && bytes == kNoCeiling) return 0;
  Rare& state = rare();
  const bool rises = bytes > state.ceiling;
  state.ceiling = bytes;
  std::uint64_t squeezed = 0;
  if (ladder_.gives_way()) {
    while (!entries_.empty() && held_bytes_ > bytes_max()) {
      const model::Slice& front = entries_.front().slice;
      const std::uint64_t excess = held_bytes_ - bytes_max();
      const std::uint32_t lost =
          conflates_ ? 1 : std::min(front.count, front.count_within(excess - 1) + 1);
      drop_front(lost, wire::GapReason::kSqueezed);
      squeezed += lost;
    }
  }
  tolerate_excess();
  if (rises && has_waiting()) move_in(now);
  return squeezed;
}

std::vector<Loss> BoundedQueue::take_losses() {
  return rare_ == nullptr ? std::vector<Loss>{} : std::exchange(rare_->losses, {});
}

}  // namespace sluice::queue
