// The part of BoundedQueue that keeps only the newest message of a topic or key.
//
// While it conflates, each message is an entry of its own. One that gives way in the middle stays
// in the ring as a dead entry (no messages, `slice.first` is a distance to look on at), so that
// nothing is moved for it; dead entries are taken out together, and never stand at either end.

#include <algorithm>
#include <utility>
#include <vector>

#include "broker/queue/bounded_queue.h"
#include "libs/base/assert.h"

namespace sluice::queue {

using wire::GapReason;

namespace {

constexpr std::uint32_t kDeadMin = 16;  // dead entries that are no matter

// The place of that message; entries.size() when it has left.
std::uint32_t place_in(const Ring<detail::Entry>& entries, std::uint64_t sequence) {
  std::uint32_t low = 0;
  std::uint32_t high = entries.size();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (entries[middle].sequence < sequence) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const bool found =
      low < entries.size() && entries[low].sequence == sequence && entries[low].slice.count > 0;
  return found ? low : entries.size();
}

void take_out_dead(Ring<detail::Entry>& entries) {
  Ring<detail::Entry> live;
  while (!entries.empty()) {
    detail::Entry entry = entries.pop_front();
    if (entry.slice.count > 0) live.push_back(std::move(entry));
  }
  entries = std::move(live);
}

}  // namespace

void BoundedQueue::begin_conflation() {
  if (conflating()) return;
  Rare& state = rare();
  state.conflation = std::make_unique<Conflation>();
  std::vector<Entry> singles;
  std::vector<ConflationKey> keys;
  singles.reserve(queued_);
  keys.reserve(queued_);
  while (!entries_.empty()) {
    Entry entry = entries_.pop_front();
    for (ConflationKey& key : conflation_keys(entry.slice, ladder_.conflates_by_key())) {
      keys.push_back(std::move(key));
    }
    while (entry.slice.count > 1) singles.push_back(split_front(entry, 1));
    singles.push_back(std::move(entry));
  }
  for (std::size_t i = 0; i < singles.size(); ++i) {
    state.conflation->set_newest(keys[i], singles[i].sequence);
  }
  std::vector<Entry> lost;
  for (std::size_t i = 0; i < singles.size(); ++i) {
    const bool newest = state.conflation->newest(keys[i]) == singles[i].sequence;
    if (newest) {
      entries_.push_back(std::move(singles[i]));
    } else {
      lost.push_back(std::move(singles[i]));
    }
  }
  for (const Entry& entry : lost) {
    held_bytes_ -= entry.slice.records + bookkeeping(1);
    --queued_;
    lose(entry, GapReason::kConflated, false);
  }
  state.conflation->built = queued_;
}

// Once it is half empty, conflation would have to pay for nothing.
void BoundedQueue::end_conflation_if_drained() {
  if (conflating() && std::uint64_t{queued_} * 2 <= rare_->conflation->built) end_conflation();
}

void BoundedQueue::end_conflation() {
  if (!conflating()) return;
  rare_->conflation.reset();
  rare_->dead = 0;
  Ring<Entry> joined;
  while (!entries_.empty()) {
    Entry entry = entries_.pop_front();
    if (entry.slice.count == 0) continue;
    if (!joined.empty() && continues(joined.back(), entry)) {
      joined.back().slice.count += entry.slice.count;
      joined.back().slice.records += entry.slice.records;
      joined.back().expires = std::min(joined.back().expires, entry.expires);
    } else {
      joined.push_back(std::move(entry));
    }
  }
  entries_ = std::move(joined);
}

void BoundedQueue::trim_dead() {
  while (!entries_.empty() && entries_.front().slice.count == 0) {
    entries_.pop_front();
    --rare_->dead;
  }
  while (!entries_.empty() && entries_.back().slice.count == 0) {
    entries_.pop_back();
    --rare_->dead;
  }
}

// The first place from `at` on that is not dead. Shortens the way for the next who comes by.
std::uint32_t BoundedQueue::live_from(std::uint32_t at) {
  std::uint32_t live = at;
  while (live < entries_.size() && entries_[live].slice.count == 0) {
    live += entries_[live].slice.first;
  }
  while (at < live) {
    const std::uint32_t next = at + entries_[at].slice.first;
    entries_[at].slice.first = live - at;
    at = next;
  }
  return live;
}

// The place of the message that a key has queued; entries_.size() when it has none.
std::uint32_t BoundedQueue::place_of(const ConflationKey& key) const {
  const std::uint64_t sequence = rare_->conflation->newest(key);
  return sequence == 0 ? entries_.size() : place_in(entries_, sequence);
}

// Whether a message of that many bytes fits once the one at `old` (or none) has given way.
bool BoundedQueue::fits_instead(std::uint32_t old, std::uint32_t records,
                                base::MonotonicTime now) const {
  const bool replaces = old < entries_.size();
  if (lagged(now)) {
    if (!replaces || old != 0) return false;
    std::uint32_t next = 1;
    while (next < entries_.size() && entries_[next].slice.count == 0) {
      next += entries_[next].slice.first;
    }
    if (next < entries_.size() && now - entries_[next].queued_at > bounds_.max_lag) return false;
  }
  const std::uint64_t freed = replaces ? entries_[old].slice.records + bookkeeping(1) : 0;
  return queued_ + (replaces ? 0U : 1U) <= messages_max() &&
         held_bytes_ - freed + records + bookkeeping(1) <= bytes_max();
}

// A message that is to be queued: in first, so that no gap grows over it, then what it stands for
// out.
void BoundedQueue::put_newest(Entry entry, const ConflationKey& key) {
  ASSERT(entry.slice.count == 1);
  Conflation& conflation = *rare_->conflation;
  const std::uint32_t old = place_of(key);
  const bool replaces = old < entries_.size();
  conflation.set_newest(key, entry.sequence);
  append(std::move(entry));
  if (replaces) give_way(old);
  if (conflation.size() > 2 * std::size_t{queued_} + 64) {
    conflation.forget(
        [this](std::uint64_t sequence) { return place_in(entries_, sequence) == entries_.size(); });
  }
}

void BoundedQueue::give_way(std::uint32_t at) {
  Entry& place = entries_[at];
  const Entry lost = std::exchange(place, {});
  place.slice.first = 1;
  place.sequence = lost.sequence;
  ++rare_->dead;
  --queued_;
  held_bytes_ -= lost.slice.records + bookkeeping(1);
  lose(lost, GapReason::kConflated, false);
  trim_dead();
  if (rare_->dead <= queued_ + kDeadMin) return;
  take_out_dead(entries_);
  rare_->dead = 0;
}

// What is to be queued, whole or as its messages.
void BoundedQueue::enter(Entry entry) {
  if (!conflating()) return append(std::move(entry));
  const std::vector<ConflationKey> keys = conflation_keys(entry.slice, ladder_.conflates_by_key());
  for (const ConflationKey& key : keys) {
    if (entry.slice.count == 1) return put_newest(std::move(entry), key);
    put_newest(split_front(entry, 1), key);
  }
}

// Queues messages of `run`, or of what waits at the front, as long as each has room once what it
// stands for has given way, and `most` at most. How many.
std::uint32_t BoundedQueue::conflate(Entry* run, base::MonotonicTime now, std::uint32_t most) {
  begin_conflation();
  const Entry& from = run != nullptr ? *run : rare_->waiting.front().entry;
  const std::vector<ConflationKey> keys = conflation_keys(from.slice, ladder_.conflates_by_key());
  std::uint32_t taken = 0;
  for (const ConflationKey& key : keys) {
    if (taken == most || !fits_instead(place_of(key), from.slice.bytes_of_first(1), now)) break;
    ++taken;
    put_newest(take_some(run, 1), key);
  }
  return taken;
}

// The same for all of it, as what is oldest makes room.
void BoundedQueue::conflate_displacing(Entry* run, Tally tally) {
  begin_conflation();
  const Entry& from = run != nullptr ? *run : rare_->waiting.front().entry;
  const std::vector<ConflationKey> keys = conflation_keys(from.slice, ladder_.conflates_by_key());
  for (const ConflationKey& key : keys) {
    ++tally.result.accepted;
    put_newest(take_some(run, 1), key);
    while (!fits(0, 0)) displace_front(1, tally);
  }
}

// A delivery goes on over entries that stand by themselves only since the queue conflates.
void BoundedQueue::extend(Delivery& delivery, Credit& credit, base::MonotonicTime now,
                          std::uint32_t limit) {
  for (; limit > 0 && credit.open() && !entries_.empty(); --limit) {
    const Entry last{delivery.slice, delivery.sequence, delivery.queued_at, delivery.deadline};
    Entry& front = entries_.front();
    if (!continues(last, front)) return;
    bool gone = false;
    if (front.expires <= now) leading_run(front, now, gone);
    if (gone) return;
    Delivery more;
    take_front(1, more);
    ++delivery.slice.count;
    delivery.slice.records += more.slice.records;
    --credit.messages;
    credit.bytes -= more.slice.records;
  }
}

}  // namespace sluice::queue
