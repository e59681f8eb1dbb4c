// The part of BoundedQueue that puts its overflow into the spill store.
//
// What is spilled stands between what is queued and what waits: as long as there is any, nothing
// else is queued, so that the order stays.

#include <algorithm>
#include <utility>

#include "broker/queue/bounded_queue.h"
#include "libs/base/assert.h"

namespace sluice::queue {

using Fetch = port::SpillStore::Fetch;
using wire::GapReason;

// A store in memory is no way out while memory is short.
bool BoundedQueue::may_spill() const {
  return rare_->ceiling == kNoCeiling || !rare_->spill->in_memory();
}

std::uint32_t BoundedQueue::spilled_from(std::uint64_t sequence) const noexcept {
  return has_spilled() ? static_cast<std::uint32_t>(rare_->spill->count_from(sequence)) : 0;
}

// Spills the first messages of `run`, or of what waits at the front, as far as there is room, and
// `most` at most. How many.
std::uint32_t BoundedQueue::spill(Entry* run, std::uint32_t most) {
  if (!may_spill()) return 0;
  const Entry& from = run != nullptr ? *run : rare_->waiting.front().entry;
  const std::uint32_t count = std::min(most, rare_->spill->count_that_fits(from));
  if (count == 0) return 0;
  Entry part = from;
  if (count < part.slice.count) part = split_front(part, count);
  const base::MonotonicTime deadline = part.deadline;
  if (!rare_->spill->push_back(part, false)) return 0;
  note_expiry(deadline);
  take_some(run, count);
  return count;
}

// Puts the first messages of `run`, or of what waits at the front, into the queue, or behind it
// into the spill, as far as there is room. How many.
std::uint32_t BoundedQueue::place(Entry* run) {
  const Entry& from = run != nullptr ? *run : rare_->waiting.front().entry;
  const std::uint32_t queued = has_spilled() ? 0 : count_that_fits(from);
  const bool all = queued == from.slice.count;
  if (queued > 0) append(take_some(run, queued));
  return all ? queued : queued + spill(run);
}

// What room was reserved for is taken, though the room may be gone since.
void BoundedQueue::take_in_reserved(Entry entry) {
  const model::Slice& slice = entry.slice;
  const bool behind = spills() && !fits(slice.count, slice.records + overhead(entry));
  if (!behind && !has_spilled()) {
    may_exceed(slice);
    return enter(std::move(entry));
  }
  note_expiry(entry.deadline);
  rare_->spill->push_back(entry, true);
}

// Takes back from the spill what the queue has room for. The age of what is spilled does not keep
// it from an empty queue.
void BoundedQueue::refill(base::MonotonicTime now) {
  if (!entries_.empty() && lagged(now)) return;
  while (has_spilled() && queued_ < messages_max() && held_bytes_ < bytes_max()) {
    detail::Spill& spill = *rare_->spill;
    const Fetch found = spill.fetch();
    if (found == Fetch::kLater) return;
    if (found == Fetch::kLost) {
      lose(spill.pop_front(), GapReason::kSpillLost, false);
      continue;
    }
    const std::uint32_t count = count_that_fits(spill.front());
    if (count == 0) return;
    append(count == spill.front().slice.count ? spill.pop_front() : spill.split_front(count));
  }
}

// The oldest give way, one after another, until all of `run`, or of what waits at the front, has a
// place, as if its messages came one by one.
void BoundedQueue::displace_into_spill(Entry* run, base::MonotonicTime now, Tally tally) {
  std::uint32_t left = (run != nullptr ? *run : rare_->waiting.front().entry).slice.count;
  while (true) {
    const std::uint32_t placed = place(run);
    tally.result.accepted += placed;
    left -= placed;
    if (left == 0) return;
    if (const Entry* gone = oldest()) {
      displace_front(entries_.empty() ? gone->slice.count : 1, tally);
      refill(now);
      continue;
    }
    lose(take_some(run, 1), GapReason::kDroppedOldest, true);
    ++tally.result.dropped;
    tally.result.drop_reason = GapReason::kDroppedOldest;
    if (--left == 0) return;
  }
}

// At most that many of the oldest entry; of one in the spill all.
void BoundedQueue::drop_oldest(std::uint32_t most, GapReason reason, bool in_receipt) {
  if (entries_.empty()) return lose(rare_->spill->pop_front(), reason, in_receipt);
  drop_front(std::min(most, entries_.front().slice.count), reason, in_receipt);
}

}  // namespace sluice::queue
