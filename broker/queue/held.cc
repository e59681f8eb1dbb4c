#include "broker/queue/held.h"

#include <algorithm>

namespace sluice::queue::detail {

base::Duration Held::lag(base::MonotonicTime now) const noexcept {
  const Entry* oldest = this->oldest();
  return oldest == nullptr ? base::Duration(0) : now - oldest->queued_at;
}

std::uint32_t Held::count_that_fits(const Entry& entry) const noexcept {
  const std::uint64_t messages = messages_max();
  if (queued_ >= messages || held_bytes_ >= bytes_max()) return 0;
  if (conflates_) return count_that_fits_singly(entry.slice);
  const std::uint64_t taken = held_bytes_ + overhead(entry);
  if (taken >= bytes_max()) return 0;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(messages - queued_, entry.slice.count_within(bytes_max() - taken)));
}

// Each message with bookkeeping of its own.
std::uint32_t Held::count_that_fits_singly(const model::Slice& slice) const noexcept {
  const std::uint64_t room = bytes_max() - held_bytes_;
  std::uint32_t fit = 0;
  std::uint32_t beyond = 1 + static_cast<std::uint32_t>(
                                 std::min<std::uint64_t>(slice.count, messages_max() - queued_));
  while (fit + 1 < beyond) {
    const std::uint32_t middle = fit + (beyond - fit) / 2;
    (slice.bytes_of_first(middle) + bookkeeping(middle) <= room ? fit : beyond) = middle;
  }
  return fit;
}

// A slice that goes on where the last entry ends becomes part of it.
std::uint64_t Held::overhead(const Entry& entry) const noexcept {
  if (conflates_) return bookkeeping(entry.slice.count);
  return !entries_.empty() && continues(entries_.back(), entry) ? 0 : kSliceOverhead;
}

// To be said before an entry of `slice` is added whether there is room or not.
void Held::may_exceed(const model::Slice& slice) {
  if (rare_ != nullptr && fits(0, 0)) rare_->over_messages = rare_->over_bytes = 0;
  const std::uint64_t bytes = slice.records + bookkeeping(slice.count);
  if (fits(slice.count, bytes)) return;
  rare().over_messages += slice.count;
  rare().over_bytes += bytes;
}

// What is held now may stay, though the room for it has shrunk.
void Held::tolerate_excess() {
  if (fits(0, 0)) return;
  Rare& state = rare();
  const std::uint64_t messages = messages_max();
  const std::uint64_t bytes = bytes_max();
  if (queued_ > messages) state.over_messages = std::max(state.over_messages, queued_ - messages);
  if (held_bytes_ > bytes) state.over_bytes = std::max(state.over_bytes, held_bytes_ - bytes);
}

const Entry* Held::oldest() const noexcept {
  if (!entries_.empty()) return &entries_.front();
  return has_spilled() ? &rare_->spill->front() : nullptr;
}

bool Held::gap_is_next() const noexcept {
  if (rare_ == nullptr || rare_->gaps.empty()) return false;
  const std::uint64_t place = rare_->gaps.first_place();
  if (const Entry* oldest = this->oldest()) return place < oldest->sequence;
  return rare_->waiting.empty() || place < rare_->waiting.front().entry.sequence;
}

Rare& Held::rare() {
  if (rare_ == nullptr) rare_ = std::make_unique<Rare>();
  return *rare_;
}

std::uint64_t Held::bytes_in_memory() const noexcept {
  return held_bytes_ + (spills() && rare_->spill->in_memory() ? rare_->spill->bytes() : 0);
}

std::size_t Held::memory_bytes() const noexcept {
  if (rare_ == nullptr) return entries_.memory_bytes();
  return entries_.memory_bytes() + sizeof(Rare) + rare_->waiting.memory_bytes() +
         rare_->gaps.memory_bytes() + rare_->settled.capacity() * sizeof(Settled) +
         rare_->losses.capacity() * sizeof(Loss) +
         (rare_->conflation ? rare_->conflation->memory_bytes() : 0) +
         (rare_->spill ? rare_->spill->memory_bytes() : 0);
}

std::uint64_t Held::slices() const noexcept {
  return std::uint64_t{entries_.size()} + (has_waiting() ? rare_->waiting.size() : 0) +
         (has_spilled() ? rare_->spill->size() : 0);
}

Ledger Held::ledger() const noexcept {
  Ledger ledger;
  ledger.matched = next_sequence_ - 1;  // each message takes the next number
  ledger.delivered = delivered_;
  ledger.queued = queued_;
  if (rare_ != nullptr) {
    ledger.in_flight = rare_->in_flight_messages;
    ledger.waiting = rare_->waiting_messages;
    if (rare_->spill) ledger.spilled = rare_->spill->messages();
    ledger.discarded = rare_->discarded;
    ledger.dropped = rare_->dropped;
  }
  return ledger;
}

Totals Held::totals() const noexcept {
  Totals totals;
  totals.matched = next_sequence_ - 1;
  totals.handed = delivered_;
  totals.queued = queued_;
  totals.held_bytes = held_bytes_;
  if (rare_ == nullptr) return totals;
  totals.handed += rare_->in_flight_messages;
  totals.in_flight = rare_->in_flight_messages;
  totals.waiting = rare_->waiting_messages;
  if (rare_->spill) {
    totals.spilled = rare_->spill->messages();
    totals.spilled_bytes = rare_->spill->bytes();
  }
  totals.discarded = rare_->discarded;
  totals.dropped = rare_->dropped_total;
  return totals;
}

}  // namespace sluice::queue::detail
