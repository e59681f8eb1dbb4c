// held.h: what does a queue hold, where did everything else go, and what is there room for?
//
// The state of a BoundedQueue and all that can be asked of it. What is in it stands in this order:
// entries (queued), the spill, what waits; sequences rise over all three.
//
// Owner:    one BoundedQueue, which alone changes it.
// Thread:   the owner's.
// Units:    messages; bytes are record bytes plus kSliceOverhead for every slice held.
// Tests:    those of bounded_queue.h.

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "broker/queue/ladder.h"
#include "broker/queue/ledger.h"
#include "broker/queue/queue_state.h"
#include "broker/queue/queue_types.h"
#include "broker/queue/ring.h"

namespace sluice::queue::detail {

class Held {
 public:
  Ledger ledger() const noexcept;
  Totals totals() const noexcept;
  const Bounds& bounds() const noexcept { return bounds_; }
  const Ladder& ladder() const noexcept { return ladder_; }
  std::uint32_t queued() const noexcept { return queued_; }          // messages
  std::uint64_t held_bytes() const noexcept { return held_bytes_; }  // queued, with bookkeeping
  std::uint64_t spilled_bytes() const noexcept { return spills() ? rare_->spill->bytes() : 0; }
  std::uint64_t in_flight() const noexcept { return rare_ ? rare_->in_flight_messages : 0; }
  std::uint64_t next_sequence() const noexcept { return next_sequence_; }
  /// How many slices a withdrawal has to look at.
  std::uint64_t slices() const noexcept;
  /// Age of the oldest queued or spilled message; 0 when there is none.
  base::Duration lag(base::MonotonicTime now) const noexcept;

  /// Whether next() has nothing even for a consumer with open credit.
  bool empty() const noexcept { return entries_.empty() && !gap_is_next(); }
  /// The slice that next() would take from; null where that is a gap or nothing.
  const model::Slice* front() const noexcept {
    return entries_.empty() || gap_is_next() ? nullptr : &entries_.front().slice;
  }
  /// Whether what comes next is being read back from the spill store.
  bool awaits_spill() const noexcept {
    return entries_.empty() && spills() && rare_->spill->awaits();
  }
  bool has_losses() const noexcept { return rare_ && !rare_->losses.empty(); }
  bool has_settled() const noexcept { return rare_ && !rare_->settled.empty(); }
  /// Whether on_time() may ever have something to do, as things stand, or something has settled.
  bool is_timed() const noexcept {
    return bounds_.max_lag.count() > 0 || (rare_ && rare_->timed());
  }
  /// Calls `visit(reason, count)` for what was dropped since the last call.
  template <typename Visit>
  void count_drops(Visit visit) const {
    if (rare_) rare_->count_drops(visit);
  }

  /// Heap held for bookkeeping, beyond the batches; 0 when idle, never short of room, and shrunk.
  std::size_t memory_bytes() const noexcept;
  /// Bytes that it keeps in memory: held_bytes(), and what is spilled where the store is memory.
  std::uint64_t bytes_in_memory() const noexcept;

  /// Aborts when an invariant does not hold: the ledger's law, bounds, order of entries and gaps.
  void check_invariants() const;

 protected:
  Held(const Bounds& bounds, const Ladder& ladder)
      : conflates_(ladder.conflates()), bounds_(bounds), ladder_(ladder) {}

  StepKind settling() const noexcept { return ladder_.steps[ladder_.size - 1U].kind; }
  bool has_waiting() const noexcept { return rare_ && !rare_->waiting.empty(); }
  bool spills() const noexcept { return rare_ && rare_->spill; }
  bool has_spilled() const noexcept { return spills() && !rare_->spill->empty(); }
  bool has_behind() const noexcept { return has_waiting() || has_spilled(); }
  bool conflating() const noexcept { return rare_ && rare_->conflation; }
  bool gap_is_next() const noexcept;
  const Entry* oldest() const noexcept;  // queued or spilled; null: none
  bool lagged(base::MonotonicTime now) const noexcept {
    return bounds_.max_lag.count() > 0 && lag(now) > bounds_.max_lag;
  }

  // Without what is reserved or in flight.
  std::uint64_t messages_max() const noexcept {
    if (!rare_) return bounds_.max_messages;
    const std::uint64_t taken = rare_->reserved_messages + rare_->in_flight_messages;
    return bounds_.max_messages - std::min<std::uint64_t>(taken, bounds_.max_messages);
  }
  std::uint64_t bytes_max() const noexcept {
    if (!rare_) return bounds_.max_bytes;
    const std::uint64_t most = std::min(bounds_.max_bytes, rare_->ceiling);
    return most - std::min(rare_->reserved_bytes + rare_->in_flight_bytes, most);
  }
  bool fits(std::uint64_t messages, std::uint64_t bytes) const noexcept {
    return queued_ + messages <= messages_max() && held_bytes_ + bytes <= bytes_max();
  }
  // Whether a push goes straight to the end of the entries.
  bool is_open(std::uint32_t messages, std::uint64_t records,
               base::MonotonicTime now) const noexcept {
    return fits(messages, records + bookkeeping(messages)) && !has_behind() && !lagged(now);
  }
  std::uint32_t count_that_fits(const Entry& entry) const noexcept;
  std::uint32_t count_that_fits_singly(const model::Slice& slice) const noexcept;
  std::uint64_t overhead(const Entry& entry) const noexcept;
  // Where messages may come to stand by themselves, each has always been charged so.
  std::uint64_t bookkeeping(std::uint32_t messages) const noexcept {
    return conflates_ ? std::uint64_t{messages} * kSliceOverhead : kSliceOverhead;
  }
  void may_exceed(const model::Slice& slice);
  void tolerate_excess();
  Rare& rare();

  Ring<Entry> entries_;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t delivered_ = 0;
  std::uint32_t queued_ = 0;
  bool conflates_ = false;  // what the ladder says
  std::unique_ptr<Rare> rare_;
  Bounds bounds_;
  Ladder ladder_;

 private:
  void check_entries() const;
  void check_rare() const;
};

}  // namespace sluice::queue::detail
