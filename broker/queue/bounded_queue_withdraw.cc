// The part of BoundedQueue that takes out what its publisher withdraws.

#include "broker/queue/bounded_queue.h"

namespace sluice::queue {

using wire::GapReason;

std::uint64_t BoundedQueue::withdraw(const model::Origin& origin, base::MonotonicTime now) {
  std::uint64_t withdrawn = 0;
  for (std::uint32_t at = 0; at < entries_.size();) {
    if (!(entries_[at].slice.origin == origin)) {
      ++at;
      continue;
    }
    const Entry entry = entries_.erase(at);
    queued_ -= entry.slice.count;
    held_bytes_ -= entry.slice.records + kSliceOverhead;
    withdrawn += entry.slice.count;
    lose(entry, GapReason::kCancelled, false);
  }
  if (!has_waiting()) return withdrawn;
  for (std::uint32_t at = 0; at < rare_->waiting.size();) {
    const Waiting& waiting = rare_->waiting[at];
    if (!(waiting.entry.slice.origin == origin)) {
      ++at;
      continue;
    }
    withdrawn += waiting.entry.slice.count;
    if (waiting.reserved) {
      lose(take_waiting(at).entry, GapReason::kCancelled, false);
    } else {
      give_up(at, GapReason::kCancelled);
    }
  }
  move_in(now);
  return withdrawn;
}

}  // namespace sluice::queue
