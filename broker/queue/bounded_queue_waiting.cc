// The part of BoundedQueue that holds back what a block step makes wait.

#include <algorithm>
#include <utility>

#include "broker/queue/bounded_queue.h"
#include "libs/base/assert.h"

namespace sluice::queue {

using wire::GapReason;

void BoundedQueue::wait(Entry entry, model::PublishToken token, PushResult& result) {
  const base::MonotonicTime now = entry.queued_at;
  const base::Duration time = ladder_.steps[ladder_.place_of(StepKind::kBlock)].duration;
  const bool endless = time.count() == 0 || time >= base::kNever - now;
  const base::MonotonicTime end = endless ? base::kNever : now + time;
  const base::MonotonicTime deadline = entry.deadline;
  Rare& state = rare();
  result.waiting += entry.slice.count;
  state.waiting_messages += entry.slice.count;
  Waiting& waiting = state.waiting.push_back();
  waiting.entry = std::move(entry);
  waiting.token = token;
  waiting.expiry = std::min(end, deadline);
  waiting.until_deadline = deadline < end;
  waiting.reserved = false;
  state.expiry_min = std::min(state.expiry_min, state.waiting.back().expiry);
}

BoundedQueue::Waiting BoundedQueue::take_waiting(std::uint32_t at) {
  Waiting taken = rare_->waiting.erase(at);
  rare_->waiting_messages -= taken.entry.slice.count;
  if (rare_->waiting.empty()) rare_->expiry_min = base::kNever;
  return taken;
}

// The next messages of `run`, or, without one, of what waits at the front.
BoundedQueue::Entry BoundedQueue::take_some(Entry* run, std::uint32_t messages) {
  if (run != nullptr) {
    return run->slice.count > messages ? split_front(*run, messages) : std::exchange(*run, {});
  }
  Entry& front = rare_->waiting.front().entry;
  if (front.slice.count == messages) return take_waiting(0).entry;
  rare_->waiting_messages -= messages;
  return split_front(front, messages);
}

// Lets in what there is room for now, in order.
void BoundedQueue::move_in(base::MonotonicTime now) {
  std::uint64_t left = 0;
  do {  // what enters the spill may be taken back at once, and make room there
    refill(now);
    left = rare_->waiting_messages;
    while (has_waiting() && move_in_front(now)) {
    }
  } while (has_spilled() && rare_->waiting_messages < left);
  rare_->room_came = false;
}

// False when the front has to go on waiting, or what is left of it.
bool BoundedQueue::move_in_front(base::MonotonicTime now) {
  Waiting& front = rare_->waiting.front();
  model::Slice& slice = front.entry.slice;
  if (front.until_deadline && front.expiry <= now) {
    give_up(0, GapReason::kExpired);
    return true;
  }
  if (front.reserved) {
    // It was accepted, and has waited for its turn alone.
    if (!conflating()) {
      take_in_reserved(take_waiting(0).entry);
      return true;
    }
    may_exceed(slice);
    // One by one, so that those behind still stand here and no gap grows over them.
    for (std::uint32_t left = slice.count; left > 0; --left) enter(take_some(nullptr, 1));
    return true;
  }
  std::uint32_t run = slice.count;
  if (front.entry.expires <= now) {
    bool gone = false;
    run = leading_run(front.entry, now, gone);
    if (gone) {
      give_up_front(run, GapReason::kExpired);
      return true;
    }
  }
  if (conflating()) run = 1;  // what enters may make room for the next
  const bool full = has_spilled() || lagged(now);
  const std::uint32_t messages = full ? 0 : std::min(run, count_that_fits(front.entry));
  if (messages == 0 && ladder_.spills_before_block()) return spill_front(run);
  if (messages == 0) {
    // It may stand for something queued, where conflate comes before block.
    return ladder_.conflates_before_block() && conflating() && conflate_front(now, run);
  }
  settle(front.token, messages, 0, {});
  enter(take_some(nullptr, messages));
  return messages == run || ladder_.spills_before_block();
}

// Ends the waits that are over. True when the ladder came to disconnect.
bool BoundedQueue::expire(base::MonotonicTime now) {
  if (now < rare_->expiry_min) return false;
  for (std::uint32_t at = 0; at < rare_->waiting.size();) {
    const Waiting& waiting = rare_->waiting[at];
    if (waiting.until_deadline && waiting.expiry <= now) {
      give_up(at, GapReason::kExpired);
    } else {
      ++at;
    }
  }
  move_in(now);
  while (has_waiting() && rare_->waiting.front().expiry <= now) {
    if (climb_front(now)) return true;
    move_in(now);
  }
  rare_->expiry_min = base::kNever;
  for (std::uint32_t at = 0; at < rare_->waiting.size(); ++at) {
    rare_->expiry_min = std::min(rare_->expiry_min, rare_->waiting[at].expiry);
  }
  return false;
}

void BoundedQueue::give_up(std::uint32_t at, GapReason reason) {
  const Waiting waiting = take_waiting(at);
  lose(waiting.entry, reason, true);
  settle(waiting.token, 0, waiting.entry.slice.count, reason);
}

// The first messages of the front, or all of it.
void BoundedQueue::give_up_front(std::uint32_t messages, GapReason reason) {
  Waiting& front = rare_->waiting.front();
  if (messages == front.entry.slice.count) return give_up(0, reason);
  const Entry gone = split_front(front.entry, messages);
  rare_->waiting_messages -= messages;
  lose(gone, reason, true);
  settle(front.token, 0, messages, reason);
}

// Its time is over: the step after block. What is to stay counts as waiting until it is queued, so
// that no gap grows over it. True when the ladder came to disconnect.
bool BoundedQueue::climb_front(base::MonotonicTime now) {
  for (std::size_t step = ladder_.place_of(StepKind::kBlock) + 1;; ++step) {
    ASSERT(step < ladder_.size);
    switch (ladder_.steps[step].kind) {
      case StepKind::kConflate:
        if (conflate_front(now, rare_->waiting.front().entry.slice.count)) return false;
        break;
      case StepKind::kSpill:
        if (spill_front(rare_->waiting.front().entry.slice.count)) return false;
        break;
      case StepKind::kBlock:
        ASSERT(false);  // stands but once in a ladder
        return true;
      case StepKind::kDropOldest:
        displace_waiting(now);
        return false;
      case StepKind::kDropNewest:
        give_up(0, GapReason::kDroppedNewest);
        return false;
      case StepKind::kReject:
        give_up(0, GapReason::kRejected);
        return false;
      case StepKind::kDisconnect:
        return true;
    }
  }
}

// True when its first `most` messages have found their places.
bool BoundedQueue::conflate_front(base::MonotonicTime now, std::uint32_t most) {
  const model::PublishToken token = rare_->waiting.front().token;
  const std::uint32_t taken = conflate(nullptr, now, most);
  if (taken > 0) settle(token, taken, 0, {});
  return taken == most;
}

// The same for the spill.
bool BoundedQueue::spill_front(std::uint32_t most) {
  const model::PublishToken token = rare_->waiting.front().token;
  const std::uint32_t spilled = spill(nullptr, most);
  if (spilled > 0) settle(token, spilled, 0, {}, spilled);
  return spilled == most;
}

void BoundedQueue::displace_waiting(base::MonotonicTime now) {
  Waiting& front = rare_->waiting.front();
  const model::PublishToken token = front.token;
  PushResult result;
  const Tally tally{front.entry.sequence, result};
  if (conflates_ || spills()) {
    conflates_ ? conflate_displacing(nullptr, tally) : displace_into_spill(nullptr, now, tally);
    return settle(token, result.accepted, result.dropped, GapReason::kDroppedOldest,
                  spilled_from(tally.first_sequence));
  }
  const std::uint32_t lost = count_without_place(front.entry.slice);
  if (lost > 0) drop_all(tally);
  if (lost == front.entry.slice.count) return give_up(0, GapReason::kDroppedOldest);
  if (lost > 0) give_up_front(lost, GapReason::kDroppedOldest);
  make_room(front.entry, tally);
  Waiting entering = take_waiting(0);
  settle(entering.token, entering.entry.slice.count, 0, {});
  append(std::move(entering.entry));
}

void BoundedQueue::settle(model::PublishToken token, std::uint32_t accepted, std::uint32_t dropped,
                          GapReason reason, std::uint32_t spilled) {
  std::vector<Settled>& settled = rare().settled;
  if (settled.empty() || settled.back().token != token) {
    settled.emplace_back();
    settled.back().token = token;
  }
  settled.back().accepted += accepted;
  settled.back().spilled += spilled;
  settled.back().dropped += dropped;
  if (dropped > 0) settled.back().drop_reason = reason;
}

std::vector<Settled> BoundedQueue::take_settled() {
  return rare_ == nullptr ? std::vector<Settled>{} : std::exchange(rare_->settled, {});
}

void BoundedQueue::discard_waiting() {
  while (has_waiting()) {
    const Waiting waiting = take_waiting(0);
    const model::Slice& slice = waiting.entry.slice;
    rare_->discarded += slice.count;
    if (!waiting.reserved) settle(waiting.token, 0, slice.count, GapReason::kDisconnected);
  }
  rare_->waiting.clear();
}

}  // namespace sluice::queue
