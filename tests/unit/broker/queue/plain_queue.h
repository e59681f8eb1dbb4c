// plain_queue.h: what BoundedQueue must do, said as plainly as possible.
//
// Every message stands for itself, in deques; everything is counted anew when asked. Slow on
// purpose, and built only from what broker/queue/bounded_queue.h promises.
//
// Owner:    one QueueComparison.
// Thread:   one.

#pragma once

#include <algorithm>
#include <vector>

#include "tests/unit/broker/queue/plain_pushing.h"

namespace sluice::queue::testing {

class PlainQueue : public PlainPushing {
 public:
  using PlainPushing::PlainPushing;

  PushResult push(std::vector<Message> messages, model::PublishToken token, base::MonotonicTime now,
                  base::MonotonicTime deadline) {
    PushResult result;
    const std::uint64_t first = next_sequence_;
    take_numbers(messages, now, deadline);
    for (std::size_t at = 0; at < messages.size();) {
      const bool gone = messages[at].expires <= now;
      std::vector<Message> run;
      for (; at < messages.size() && (messages[at].expires <= now) == gone; ++at) {
        run.push_back(messages[at]);
      }
      if (!gone && !result.disconnect) {
        push_run(run, token, now, result);
        continue;
      }
      const GapReason reason = gone ? GapReason::kExpired : GapReason::kDisconnected;
      for (const Message& message : run) refuse(message, reason, result);
    }
    result.spilled = static_cast<std::uint32_t>(spilled_from(first));
    return result;
  }

  PushResult push_reserved(std::vector<Message> messages, base::MonotonicTime now) {
    const std::uint64_t first = next_sequence_;
    take_numbers(messages, now, base::kNever);
    std::uint64_t bytes = 0;
    for (const Message& message : messages) bytes += message.bytes;
    unreserve(messages.size(), bytes);
    if (queued_.size() * 2 <= built_) conflating_ = false;
    waiting_.push_back({messages, model::PublishToken(0), base::kNever, false, true});
    move_in(now);
    PushResult result;
    result.accepted = static_cast<std::uint32_t>(messages.size());
    result.spilled = static_cast<std::uint32_t>(spilled_from(first));
    return result;
  }

  bool has_room(std::uint32_t messages, std::uint64_t bytes, base::MonotonicTime now) const {
    if (!waiting_.empty()) return false;
    if (spilled_.empty() && !lagged(now) && room(messages, bytes + bookkeeping(messages))) {
      return true;
    }
    return ladder_.spills() && ceiling_ == UINT64_MAX &&
           bytes + kSliceOverhead <= bounds_.max_bytes &&
           spilled_bytes() + reserved_bytes_ + bytes + kSliceOverhead <= ladder_.spill_bytes;
  }
  void reserve(std::uint64_t messages, std::uint64_t bytes) {
    reserved_messages_ += messages;
    reserved_bytes_ += bytes + bookkeeping(messages);
  }
  void unreserve(std::uint64_t messages, std::uint64_t bytes) {
    reserved_messages_ -= messages;
    reserved_bytes_ -= bytes + bookkeeping(messages);
  }

  /// The messages to deliver, or a gap, or neither.
  std::vector<Message> next(Credit& credit, base::MonotonicTime now, std::uint32_t limit,
                            Gap& gap) {
    std::vector<Message> taken;
    if (!credit.open()) return taken;
    while (!queued_.empty() && queued_.front().expires <= now) {
      for (Message last = queued_.front();; last = queued_.front()) {
        lose_front(GapReason::kExpired);
        if (queued_.empty() || queued_.front().expires > now) break;
        if (conflating_ || !continues(last, queued_.front())) break;
      }
      move_in(now);
    }
    if (holes_.take(gap, present())) return taken;
    while (!queued_.empty() && queued_.front().expires > now && credit.open() &&
           taken.size() < limit && (taken.empty() || continues(taken.back(), queued_.front()))) {
      taken.push_back(queued_.front());
      queued_.pop_front();
      --credit.messages;
      credit.bytes -= taken.back().bytes;
    }
    delivered_ += taken.size();
    if (!taken.empty()) move_in(now);
    return taken;
  }

  void put_back(std::vector<Message> messages, base::MonotonicTime now) {
    conflating_ = false;
    auto at = queued_.begin();
    while (at != queued_.end() && at->sequence < messages.front().sequence) ++at;
    base::MonotonicTime age = now;
    if (at != queued_.end()) {
      age = std::min(age, at->queued_at);
    } else if (!spilled_.empty()) {
      age = std::min(age, spilled_.front().messages.front().queued_at);
    } else if (!waiting_.empty()) {
      age = std::min(age, waiting_.front().messages.front().queued_at);
    }
    for (Message& message : messages) message.queued_at = age;
    queued_.insert(at, messages.begin(), messages.end());
    delivered_ -= messages.size();
  }

  void hold_in_flight(std::uint64_t messages, std::uint64_t bytes) {
    delivered_ -= messages;
    in_flight_ += messages;
    in_flight_bytes_ += bytes;
  }
  void release_in_flight(std::uint64_t messages, std::uint64_t bytes) {
    delivered_ += messages;
    in_flight_ -= messages;
    in_flight_bytes_ -= bytes;
  }

  std::uint64_t set_ceiling(std::uint64_t bytes, base::MonotonicTime now) {
    if (bytes >= bounds_.max_bytes + ladder_.spill_bytes) bytes = UINT64_MAX;
    const bool rises = bytes > ceiling_;
    ceiling_ = bytes;
    const std::uint64_t most = bytes - std::min(bytes, reserved_bytes_ + in_flight_bytes_);
    std::uint64_t squeezed = 0;
    while (ladder_.gives_way() && oldest() != nullptr && held_bytes() + spilled_bytes() > most) {
      squeezed += lose_front(GapReason::kSqueezed);
    }
    if (rises || !spilled_.empty()) move_in(now);
    return squeezed;
  }

  std::uint64_t withdraw(std::uint64_t origin, base::MonotonicTime now) {
    const auto own = [&](const Message& message) { return message.origin == origin; };
    std::uint64_t count = lose_if(GapReason::kCancelled, own, own);
    for (std::size_t at = 0; at < waiting_.size();) {
      if (waiting_[at].messages.front().origin != origin) {
        ++at;
        continue;
      }
      const Slice slice = waiting_[at];
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(at));
      count += slice.messages.size();
      for (const Message& message : slice.messages) lose(message, GapReason::kCancelled);
      if (!slice.reserved) settle(slice.token, 0, slice.messages.size(), GapReason::kCancelled);
    }
    if (count > 0) move_in(now);
    return count;
  }

  base::MonotonicTime next_time() const {
    base::MonotonicTime time = base::kNever;
    for (const Slice& slice : waiting_) time = std::min(time, slice.expiry);
    for (const Message& message : queued_) time = std::min(time, grid_after(message.expires));
    for (const Slice& slice : spilled_) {
      time = std::min(time, grid_after(slice.messages.front().deadline));
    }
    const StepKind last = ladder_.steps[ladder_.size - 1U].kind;
    if (bounds_.max_lag.count() > 0 && oldest() != nullptr &&
        (last == StepKind::kDropOldest || last == StepKind::kDisconnect)) {
      time = std::min(time, oldest()->queued_at + bounds_.max_lag + base::Duration(1));
    }
    return time;
  }

  void close() {
    for (const Slice& slice : waiting_) {
      discarded_ += slice.messages.size();
      if (!slice.reserved) settle(slice.token, 0, slice.messages.size(), GapReason::kDisconnected);
    }
    discarded_ += queued_.size() + spilled_from(0) + std::exchange(in_flight_, 0);
    spilled_.clear();
    in_flight_bytes_ = 0;
    queued_.clear();
    conflating_ = false;
    waiting_.clear();
    holes_.clear();
  }

  Ledger ledger() const {
    Ledger ledger;
    ledger.matched = next_sequence_ - 1;
    ledger.delivered = delivered_;
    ledger.queued = queued_.size();
    ledger.in_flight = in_flight_;
    for (const Slice& slice : waiting_) ledger.waiting += slice.messages.size();
    ledger.spilled = spilled_from(0);
    ledger.discarded = discarded_;
    ledger.dropped = dropped_;
    return ledger;
  }
  std::vector<Settled> take_settled() { return std::exchange(settled_, {}); }
  bool empty() const { return queued_.empty() && !holes_.is_next(present()); }
};

}  // namespace sluice::queue::testing
