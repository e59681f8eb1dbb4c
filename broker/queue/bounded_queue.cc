#include "broker/queue/bounded_queue.h"

#include <algorithm>
#include <utility>

#include "libs/base/assert.h"

namespace sluice::queue {

using wire::GapReason;

BoundedQueue::BoundedQueue(const Bounds& bounds, const Ladder& ladder, port::SpillStore* store,
                           std::uint64_t tag)
    : Held(bounds, ladder) {
  ASSERT(bounds.max_messages > 0 && bounds.max_bytes > 0 && bounds.max_lag.count() >= 0);
  ASSERT(ladder.size > 0 && ladder.size <= kMaxSteps);
  if (!ladder.spills()) return;
  ASSERT(store != nullptr && ladder.spill_bytes > 0);
  rare().spill = std::make_unique<detail::Spill>(*store, tag, ladder.spill_bytes);
}

PushResult BoundedQueue::push(const model::Slice& slice, model::PublishToken token,
                              base::MonotonicTime now, base::MonotonicTime deadline) {
  ASSERT(slice.count > 0);
  PushResult result;
  const base::MonotonicTime expires = std::min(deadline, slice.earliest_deadline);
  if (expires > now && is_open(slice.count, slice.records, now) && !conflating()) {
    push_open(slice, now, deadline, expires);
    result.accepted = slice.count;
    return result;
  }
  const std::uint64_t first = next_sequence_;
  Entry entry = make_entry(slice, now, deadline);
  if (expires <= now) {
    push_late(std::move(entry), token, result);
  } else {
    push_slowly(std::move(entry), token, result);
  }
  result.spilled = spilled_from(first);
  return result;
}

// Built where it stands, as it is what nearly every push does.
void BoundedQueue::push_open(const model::Slice& slice, base::MonotonicTime now,
                             base::MonotonicTime deadline, base::MonotonicTime expires) {
  Entry& entry = entries_.push_back();
  entry.slice = slice;
  entry.sequence = next_sequence_;
  entry.queued_at = now;
  entry.deadline = deadline;
  entry.expires = expires;
  next_sequence_ += slice.count;
  count_entered(entry);
}

void BoundedQueue::take_in(Entry entry, model::PublishToken token, PushResult& result) {
  const model::Slice& slice = entry.slice;
  if (is_open(slice.count, slice.records, entry.queued_at) && !conflating()) {
    result.accepted += slice.count;
    append(std::move(entry));
  } else {
    push_slowly(std::move(entry), token, result);
  }
}

bool BoundedQueue::has_room(std::uint32_t messages, std::uint64_t record_bytes,
                            base::MonotonicTime now) const noexcept {
  if (is_open(messages, record_bytes, now)) return true;
  if (!spills() || has_waiting() || record_bytes + kSliceOverhead > bounds_.max_bytes) return false;
  return rare_->spill->fits(record_bytes + kSliceOverhead + rare_->reserved_bytes) && may_spill();
}

void BoundedQueue::reserve(std::uint32_t messages, std::uint64_t record_bytes) {
  rare().reserved_messages += messages;
  rare().reserved_bytes += record_bytes + bookkeeping(messages);
  if (spills()) tolerate_excess();  // the room may be the spill's
}

void BoundedQueue::unreserve(std::uint32_t messages, std::uint64_t record_bytes) noexcept {
  ASSERT(rare_ != nullptr && rare_->reserved_messages >= messages);
  ASSERT(rare_->reserved_bytes >= record_bytes + bookkeeping(messages));
  rare_->reserved_messages -= messages;
  rare_->reserved_bytes -= record_bytes + bookkeeping(messages);
  rare_->room_came = has_behind();
}

// The room is free again at once: kept for an entry that stands behind others, it would keep them
// waiting for ever once nothing is left to deliver.
PushResult BoundedQueue::push_reserved(const model::Slice& slice, base::MonotonicTime now,
                                       base::MonotonicTime deadline) {
  ASSERT(slice.count > 0);
  unreserve(slice.count, slice.records);
  end_conflation_if_drained();
  const std::uint64_t first = next_sequence_;
  Entry entry = make_entry(slice, now, deadline);
  if (has_waiting() || spills()) {
    rare_->waiting_messages += slice.count;
    Waiting waiting;
    waiting.entry = std::move(entry);
    waiting.reserved = true;
    rare_->waiting.push_back(std::move(waiting));
    move_in(now);
  } else {
    take_in_reserved(std::move(entry));
  }
  PushResult result;
  result.accepted = slice.count;
  result.spilled = spilled_from(first);
  return result;
}

PushResult BoundedQueue::turn_away(const model::Slice& slice, GapReason reason,
                                   base::MonotonicTime now) {
  ASSERT(slice.count > 0);
  const Entry entry = make_entry(slice, now, base::kNever);
  PushResult result;
  refuse(entry, reason, result);
  return result;
}

Item BoundedQueue::next(Credit& credit, base::MonotonicTime now, std::uint32_t limit_messages) {
  Item item = take(credit, now, limit_messages);
  if (has_behind() && std::holds_alternative<Delivery>(item)) move_in(now);
  return item;
}

Item BoundedQueue::take(Credit& credit, base::MonotonicTime now, std::uint32_t limit_messages) {
  Item item;
  if (!credit.open()) return item;
  if (!entries_.empty() && entries_.front().expires <= now) {
    limit_messages = std::min(limit_messages, skip_expired(now));
  }
  if (gap_is_next()) return take_gap();
  if (entries_.empty()) return item;
  const model::Slice& slice = entries_.front().slice;
  auto messages = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(credit.messages, std::min(slice.count, limit_messages)));
  const auto bytes = static_cast<std::uint64_t>(credit.bytes);
  if (slice.records > bytes) messages = std::min(messages, slice.count_within(bytes - 1) + 1);
  if (messages == 0) return item;
  Delivery& delivery = item.emplace<Delivery>();
  take_front(messages, delivery);
  credit.messages -= messages;
  credit.bytes -= delivery.slice.records;
  if (conflating()) extend(delivery, credit, now, limit_messages - messages);
  return item;
}

void BoundedQueue::put_back(const model::Slice& slice, std::uint64_t sequence,
                            base::MonotonicTime now, base::MonotonicTime deadline) {
  ASSERT(delivered_ >= slice.count && sequence + slice.count <= next_sequence_);
  end_conflation();
  std::uint32_t at = 0;
  while (at < entries_.size() && entries_[at].sequence < sequence) ++at;
  Entry entry{slice, sequence, now, deadline, std::min(deadline, slice.earliest_deadline)};
  note_expiry(entry.expires);
  if (at < entries_.size()) {
    entry.queued_at = std::min(now, entries_[at].queued_at);
  } else if (has_spilled()) {
    entry.queued_at = std::min(now, rare_->spill->front().queued_at);
  } else if (has_waiting()) {
    entry.queued_at = std::min(now, rare_->waiting.front().entry.queued_at);
  }
  may_exceed(slice);
  entries_.insert(at, std::move(entry));
  delivered_ -= slice.count;
  queued_ += slice.count;
  held_bytes_ += slice.records + bookkeeping(slice.count);
  join_at(at + 1);
  join_at(at);
}

bool BoundedQueue::on_time(base::MonotonicTime now) {
  if (rare_ != nullptr && rare_->sweep_at <= now) sweep(now);
  if (lagged(now)) {
    if (settling() == StepKind::kDisconnect) return true;
    while (settling() == StepKind::kDropOldest && lagged(now)) {
      drop_oldest(UINT32_MAX, GapReason::kLagged);
    }
  }
  if (!has_behind()) return false;
  move_in(now);
  return expire(now);
}

base::MonotonicTime BoundedQueue::next_time() const noexcept {
  base::MonotonicTime time = base::kNever;
  if (has_behind()) {
    if (rare_->room_came) return base::MonotonicTime::min();
    time = rare_->expiry_min;
  }
  if (rare_ != nullptr) time = std::min(time, rare_->sweep_at);
  const StepKind settles = settling();
  if (const Entry* oldest = this->oldest();
      bounds_.max_lag.count() > 0 && oldest != nullptr &&
      (settles == StepKind::kDropOldest || settles == StepKind::kDisconnect)) {
    time = std::min(time, oldest->queued_at + bounds_.max_lag + base::Duration(1));
  }
  return time;
}

void BoundedQueue::close() {
  if (queued_ > 0) rare().discarded += queued_;
  queued_ = 0;
  held_bytes_ = 0;
  entries_.clear();
  if (rare_ == nullptr) return;
  if (has_spilled()) {
    rare_->discarded += rare_->spill->messages();
    rare_->spill->clear();
  }
  discard_waiting();
  rare_->discarded += std::exchange(rare_->in_flight_messages, 0);
  rare_->in_flight_bytes = 0;
  rare_->sweep_at = base::kNever;
  rare_->gaps.clear();
  rare_->conflation.reset();
  rare_->dead = 0;
}

// How many of the first messages are alike in whether they could ever fit.
std::uint32_t BoundedQueue::leading_run(const model::Slice& slice, bool& too_large) const {
  const auto never_fits = [&](std::uint64_t bytes) {
    return bytes + kSliceOverhead > bounds_.max_bytes;
  };
  too_large = never_fits(slice.bytes_of_first(1));
  if (!never_fits(slice.records)) return slice.count;
  model::Slice rest = slice;
  while (rest.count > 1) {
    rest.split_front(1);
    if (never_fits(rest.bytes_of_first(1)) != too_large) return slice.count - rest.count;
  }
  return slice.count;
}

// Whether all that could ever fit does so now.
bool BoundedQueue::fits_whole(const Entry& entry) const {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  for (Entry rest = entry;;) {
    bool too_large = false;
    const std::uint32_t run = leading_run(rest.slice, too_large);
    if (!too_large) {
      messages += run;
      bytes += rest.slice.bytes_of_first(run) + overhead(rest);
    }
    if (run == rest.slice.count) return fits(messages, bytes);
    split_front(rest, run);
  }
}

void BoundedQueue::append(Entry entry) {
  entries_.push_back(std::move(entry));
  count_entered(entries_.back());
}

// Of the last entry, which is new.
void BoundedQueue::count_entered(const Entry& entry) {
  queued_ += entry.slice.count;
  held_bytes_ += entry.slice.records + bookkeeping(entry.slice.count);
  if (entry.expires != base::kNever) note_expiry(entry.expires);
  if (entry.slice.first != 0 && !conflating()) join_at(entries_.size() - 1);
}

// Makes one entry of those before and at `at` if the latter goes on where the former ends.
void BoundedQueue::join_at(std::uint32_t at) {
  if (at == 0 || at >= entries_.size() || !continues(entries_[at - 1], entries_[at])) return;
  const Entry joined = entries_.erase(at);
  entries_[at - 1].slice.count += joined.slice.count;
  entries_[at - 1].slice.records += joined.slice.records;
  entries_[at - 1].expires = std::min(entries_[at - 1].expires, joined.expires);
  if (!conflates_) held_bytes_ -= kSliceOverhead;
}

void BoundedQueue::push_slowly(Entry entry, model::PublishToken token, PushResult& result) {
  const StepKind first = ladder_.steps[0].kind;
  result.disconnect =
      on_time(entry.queued_at) || (first == StepKind::kDisconnect && !fits_whole(entry));
  if (result.disconnect) return refuse(entry, GapReason::kDisconnected, result);
  end_conflation_if_drained();
  const bool reject = first == StepKind::kReject && (lagged(entry.queued_at) || !fits_whole(entry));
  const Tally tally{entry.sequence, result};
  const auto take = [&](Entry run, bool too_large) {
    if (result.disconnect) {
      refuse(run, GapReason::kDisconnected, result);
    } else if (too_large) {
      refuse(run, GapReason::kTooLarge, result);
    } else if (reject) {
      refuse(run, GapReason::kRejected, result);
    } else {
      push_run(std::move(run), token, tally);
    }
  };
  while (true) {
    bool too_large = false;
    const std::uint32_t messages = leading_run(entry.slice, too_large);
    if (messages == entry.slice.count) return take(std::move(entry), too_large);
    take(split_front(entry, messages), too_large);
  }
}

// A run of messages each of which could fit. What does not fit now climbs the ladder.
void BoundedQueue::push_run(Entry run, model::PublishToken token, Tally tally) {
  if (has_waiting()) return wait(std::move(run), token, tally.result);
  const bool replaces = conflating();
  // Whoever makes room of its own is better asked one by one.
  bool full = has_spilled() || lagged(run.queued_at) ||
              (replaces && ladder_.steps[0].kind == StepKind::kConflate);
  while (!full && run.slice.count > 0) {
    const std::uint32_t messages = count_that_fits(run);
    const bool whole = messages == run.slice.count;
    if (!whole && ladder_.steps[0].kind == StepKind::kDropOldest) break;
    full = messages == 0 || !replaces;  // what enters may make more room than it takes
    if (messages == 0) break;
    tally.result.accepted += messages;
    enter(whole ? std::exchange(run, {}) : split_front(run, messages));
  }
  if (run.slice.count > 0) climb(std::move(run), token, tally);
}

void BoundedQueue::climb(Entry run, model::PublishToken token, Tally tally) {
  for (std::uint8_t step = 0;; ++step) {
    ASSERT(step < ladder_.size);
    switch (ladder_.steps[step].kind) {
      case StepKind::kConflate:
        tally.result.accepted += conflate(&run, run.queued_at);
        if (run.slice.count == 0) return;
        break;
      case StepKind::kSpill:
        tally.result.accepted += spill(&run);
        if (run.slice.count == 0) return;
        break;
      case StepKind::kBlock:
        return wait(std::move(run), token, tally.result);
      case StepKind::kDropOldest:
        return displace(std::move(run), tally);
      case StepKind::kDropNewest:
        return refuse(run, GapReason::kDroppedNewest, tally.result);
      case StepKind::kReject:
        return refuse(run, GapReason::kRejected, tally.result);
      case StepKind::kDisconnect:
        tally.result.disconnect = true;
        return refuse(run, GapReason::kDisconnected, tally.result);
    }
  }
}

void BoundedQueue::refuse(const Entry& entry, GapReason reason, PushResult& result) {
  lose(entry, reason, true);
  result.dropped += entry.slice.count;
  result.drop_reason = reason;
}

void BoundedQueue::take_front(std::uint32_t messages, Delivery& delivery) {
  Entry& front = entries_.front();
  delivery.sequence = front.sequence;
  delivery.queued_at = front.queued_at;
  delivery.deadline = front.deadline;
  if (messages == front.slice.count) {
    delivery.slice = std::move(front.slice);
    entries_.drop_front();
    held_bytes_ -= bookkeeping(messages);
    if (rare_ != nullptr && rare_->dead > 0) trim_dead();
  } else {
    delivery.slice = front.slice.split_front(messages);
    front.sequence += messages;
    if (conflates_) held_bytes_ -= bookkeeping(messages);
  }
  held_bytes_ -= delivery.slice.records;
  queued_ -= messages;
  delivered_ += messages;
}

}  // namespace sluice::queue
