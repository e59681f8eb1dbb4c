// The part of BoundedQueue that takes out what its publisher withdraws.

#include <utility>
#include <vector>

#include "broker/queue/bounded_queue.h"

namespace sluice::queue {

using wire::GapReason;

std::uint64_t BoundedQueue::withdraw(const model::Origin& origin, base::MonotonicTime now) {
  std::uint64_t withdrawn = 0;
  std::vector<Entry> found;  // lost once all that stays stands in its place, so that holes join
  Ring<Entry> kept;
  while (!entries_.empty()) {
    Entry entry = entries_.pop_front();
    if (entry.slice.count == 0) continue;  // dead
    if (entry.slice.origin == origin) {
      queued_ -= entry.slice.count;
      held_bytes_ -= entry.slice.records + bookkeeping(entry.slice.count);
      found.push_back(std::move(entry));
    } else {
      kept.push_back(std::move(entry));
    }
  }
  entries_ = std::move(kept);
  if (rare_ != nullptr) rare_->dead = 0;
  if (has_spilled()) {
    rare_->spill->take_if([&](const Entry& entry) { return entry.slice.origin == origin; },
                          [&](Entry entry) { found.push_back(std::move(entry)); });
  }
  for (const Entry& entry : found) {
    withdrawn += entry.slice.count;
    lose(entry, GapReason::kCancelled, false);
  }
  if (rare_ == nullptr) return withdrawn;
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
  if (withdrawn > 0) move_in(now);
  return withdrawn;
}

}  // namespace sluice::queue
