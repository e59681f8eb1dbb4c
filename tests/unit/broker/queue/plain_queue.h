// plain_queue.h: what BoundedQueue must do, said as plainly as possible.
//
// Every message stands for itself, in deques; everything is counted anew when asked. Slow on
// purpose, and built only from what broker/queue/bounded_queue.h promises.
//
// Owner:    one QueueComparison.
// Thread:   one.

#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "broker/queue/bounded_queue.h"

namespace sluice::queue::testing {

using wire::GapReason;

struct Message {
  std::uint64_t sequence = 0;
  std::uint64_t batch = 0;  // which batch, and its place there
  std::uint32_t index = 0;
  std::uint32_t bytes = 0;
  base::MonotonicTime queued_at;
  base::MonotonicTime expires = base::kNever;   // its own deadline, from a push on no later than:
  base::MonotonicTime deadline = base::kNever;  // that of its publish
  std::uint64_t origin = 0;
};

class PlainQueue {
 public:
  PlainQueue(const Bounds& bounds, const Ladder& ladder) : bounds_(bounds), ladder_(ladder) {}

  PushResult push(std::vector<Message> messages, model::PublishToken token, base::MonotonicTime now,
                  base::MonotonicTime deadline) {
    PushResult result;
    take_numbers(messages, now, deadline);
    for (std::size_t at = 0; at < messages.size();) {
      const bool gone = messages[at].expires <= now;
      std::vector<Message> run;
      for (; at < messages.size() && (messages[at].expires <= now) == gone; ++at) {
        run.push_back(messages[at]);
      }
      if (!gone && !result.disconnect) {
        push_run(run, token, now, deadline, result);
        continue;
      }
      const GapReason reason = gone ? GapReason::kExpired : GapReason::kDisconnected;
      for (const Message& message : run) refuse(message, reason, result);
    }
    return result;
  }

  void push_run(const std::vector<Message>& messages, model::PublishToken token,
                base::MonotonicTime now, base::MonotonicTime deadline, PushResult& result) {
    if (waiting_.empty() && !lagged(now) && room_for(messages)) {
      queued_.insert(queued_.end(), messages.begin(), messages.end());
      result.accepted += static_cast<std::uint32_t>(messages.size());
      return;
    }
    const StepKind first = ladder_.steps[0].kind;
    const bool disconnect = on_time(now);
    const bool fits_all = fits_whole(messages);
    if (disconnect || (first == StepKind::kDisconnect && !fits_all)) {
      for (const Message& message : messages) refuse(message, GapReason::kDisconnected, result);
      result.disconnect = true;
      return;
    }
    const bool reject = first == StepKind::kReject && (lagged(now) || !fits_all);
    const std::uint64_t first_sequence = messages.front().sequence;
    bool stopped = false;  // a message of this run did not fit, so those behind it do not either
    for (const Message& message : messages) {
      if (too_large(message)) {
        refuse(message, GapReason::kTooLarge, result);
        stopped = false;
      } else if (reject) {
        refuse(message, GapReason::kRejected, result);
      } else if (!stopped && waiting_.empty() && !lagged(now) && fits(message)) {
        queued_.push_back(message);
        ++result.accepted;
      } else if (first == StepKind::kDropOldest) {
        displace(message, first_sequence, result);
      } else if (first == StepKind::kDropNewest) {
        refuse(message, GapReason::kDroppedNewest, result);
        stopped = true;
      } else {
        wait(message, token, now, deadline);
        ++result.waiting;
      }
    }
  }

  PushResult push_reserved(std::vector<Message> messages, base::MonotonicTime now) {
    take_numbers(messages, now, base::kNever);
    std::uint64_t bytes = 0;
    for (const Message& message : messages) bytes += message.bytes;
    unreserve(messages.size(), bytes);
    waiting_.push_back({messages, model::PublishToken(0), base::kNever, false, true});
    move_in(now);
    PushResult result;
    result.accepted = static_cast<std::uint32_t>(messages.size());
    return result;
  }

  bool has_room(std::uint32_t messages, std::uint64_t bytes, base::MonotonicTime now) const {
    return waiting_.empty() && !lagged(now) && room(messages, bytes + kSliceOverhead);
  }
  void reserve(std::uint64_t messages, std::uint64_t bytes) {
    reserved_messages_ += messages;
    reserved_bytes_ += bytes + kSliceOverhead;
  }
  void unreserve(std::uint64_t messages, std::uint64_t bytes) {
    reserved_messages_ -= messages;
    reserved_bytes_ -= bytes + kSliceOverhead;
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
        if (!continues(last, queued_.front())) break;
      }
      move_in(now);
    }
    if (take_gap(gap)) return taken;
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
    auto at = queued_.begin();
    while (at != queued_.end() && at->sequence < messages.front().sequence) ++at;
    base::MonotonicTime age = now;
    if (at != queued_.end()) {
      age = std::min(age, at->queued_at);
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
    if (bytes >= bounds_.max_bytes) bytes = UINT64_MAX;
    const bool rises = bytes > ceiling_;
    ceiling_ = bytes;
    std::uint64_t squeezed = 0;
    if (ladder_.steps[ladder_.size - 1U].kind == StepKind::kDropOldest) {
      for (; !queued_.empty() && held_bytes() > bytes_max(); ++squeezed) {
        lose_front(GapReason::kSqueezed);
      }
    }
    if (rises) move_in(now);
    return squeezed;
  }

  std::uint64_t withdraw(std::uint64_t origin, base::MonotonicTime now) {
    std::uint64_t count = lose_if(GapReason::kCancelled,
                                  [&](const Message& message) { return message.origin == origin; });
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
    move_in(now);
    return count;
  }

  bool on_time(base::MonotonicTime now) {
    lose_if(GapReason::kExpired, [now](const Message& message) {
      return message.expires != base::kNever && grid_after(message.expires) <= now;
    });
    const StepKind last = ladder_.steps[ladder_.size - 1U].kind;
    if (last == StepKind::kDisconnect && lagged(now)) return true;
    while (last == StepKind::kDropOldest && lagged(now)) lose_front(GapReason::kLagged);
    move_in(now);
    std::erase_if(waiting_, [&](const Slice& slice) {
      if (!slice.until_deadline || slice.expiry > now) return false;
      doomed_.push_back(slice);
      return true;
    });
    for (const Slice& slice : std::exchange(doomed_, {})) give_up(slice, GapReason::kExpired);
    move_in(now);
    while (!waiting_.empty() && waiting_.front().expiry <= now) {
      if (ladder_.steps[1].kind == StepKind::kDisconnect) return true;
      climb();
      move_in(now);
    }
    return false;
  }

  base::MonotonicTime next_time() const {
    base::MonotonicTime time = base::kNever;
    for (const Slice& slice : waiting_) time = std::min(time, slice.expiry);
    for (const Message& message : queued_) time = std::min(time, grid_after(message.expires));
    const StepKind last = ladder_.steps[ladder_.size - 1U].kind;
    if (bounds_.max_lag.count() > 0 && !queued_.empty() &&
        (last == StepKind::kDropOldest || last == StepKind::kDisconnect)) {
      time = std::min(time, queued_.front().queued_at + bounds_.max_lag + base::Duration(1));
    }
    return time;
  }

  void close() {
    for (const Slice& slice : waiting_) {
      discarded_ += slice.messages.size();
      if (!slice.reserved) settle(slice.token, 0, slice.messages.size(), GapReason::kDisconnected);
    }
    discarded_ += queued_.size() + std::exchange(in_flight_, 0);
    in_flight_bytes_ = 0;
    queued_.clear();
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
    ledger.discarded = discarded_;
    ledger.dropped = dropped_;
    return ledger;
  }
  std::vector<Settled> take_settled() { return std::exchange(settled_, {}); }
  bool empty() const { return queued_.empty() && first_hole() == holes_.end(); }
  std::uint64_t held_bytes() const {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < queued_.size(); ++i) {
      bytes += queued_[i].bytes;
      if (i == 0 || !continues(queued_[i - 1], queued_[i])) bytes += kSliceOverhead;
    }
    return bytes;
  }
  base::Duration lag(base::MonotonicTime now) const {
    return queued_.empty() ? base::Duration(0) : now - queued_.front().queued_at;
  }

 private:
  struct Slice {
    std::vector<Message> messages;
    model::PublishToken token;
    base::MonotonicTime expiry;
    bool until_deadline = false;
    bool reserved = false;
  };
  struct Lost {
    Message message;
    GapReason reason;
  };
  using Hole = std::vector<Lost>;

  static bool continues(const Message& a, const Message& b) {
    return a.batch == b.batch && a.index + 1 == b.index && a.sequence + 1 == b.sequence &&
           a.queued_at == b.queued_at && a.deadline == b.deadline;
  }
  static std::uint64_t place(const Hole& hole) {
    std::uint64_t first = UINT64_MAX;
    for (const Lost& lost : hole) first = std::min(first, lost.message.sequence);
    return first;
  }

  static base::MonotonicTime grid_after(base::MonotonicTime time) {
    if (time == base::kNever) return time;
    const std::int64_t step = kExpiryGranularity.count();
    const std::int64_t ticks = time.time_since_epoch().count();
    return base::MonotonicTime(base::Duration((ticks + step - 1) / step * step));
  }
  template <typename Wanted>
  std::uint64_t lose_if(GapReason reason, Wanted wanted) {
    std::vector<Message> lost;
    for (std::size_t at = 0; at < queued_.size();) {
      if (wanted(queued_[at])) {
        lost.push_back(queued_[at]);
        queued_.erase(queued_.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        ++at;
      }
    }
    for (const Message& message : lost) lose(message, reason);
    return lost.size();
  }

  void take_numbers(std::vector<Message>& messages, base::MonotonicTime now,
                    base::MonotonicTime deadline) {
    for (Message& message : messages) {
      message.deadline = deadline;
      message.expires = std::min(message.expires, deadline);
      message.sequence = next_sequence_++;
      message.queued_at = now;
    }
  }
  bool lagged(base::MonotonicTime now) const {
    return bounds_.max_lag.count() > 0 && lag(now) > bounds_.max_lag;
  }
  bool too_large(const Message& message) const {
    return message.bytes + kSliceOverhead > bounds_.max_bytes;
  }
  std::uint64_t bytes_max() const {
    const std::uint64_t most = std::min(bounds_.max_bytes, ceiling_);
    return most - std::min(most, reserved_bytes_ + in_flight_bytes_);
  }
  bool room(std::uint64_t messages, std::uint64_t bytes) const {
    const std::uint64_t taken = reserved_messages_ + in_flight_;
    const std::uint64_t most = bounds_.max_messages;
    return queued_.size() + messages <= most - std::min(most, taken) &&
           held_bytes() + bytes <= bytes_max();
  }
  bool room_for(const std::vector<Message>& messages) const {
    std::uint64_t bytes = kSliceOverhead;
    for (const Message& message : messages) bytes += message.bytes;
    return room(messages.size(), bytes);
  }
  bool fits(const Message& message) const {
    const bool joins = !queued_.empty() && continues(queued_.back(), message);
    return room(1, message.bytes + (joins ? 0 : kSliceOverhead));
  }
  bool fits_whole(const std::vector<Message>& messages) {
    const std::deque<Message> before = queued_;
    for (const Message& message : messages) {
      if (!too_large(message)) queued_.push_back(message);
    }
    const bool fit = room(0, 0);
    queued_ = before;
    return fit;
  }

  void refuse(const Message& message, GapReason reason, PushResult& result) {
    lose(message, reason);
    ++result.dropped;
    result.drop_reason = reason;
  }
  void lose_front(GapReason reason) {
    const Message front = queued_.front();
    queued_.pop_front();
    lose(front, reason);
  }

  // The new message goes in; what is oldest goes out until all fits.
  void displace(const Message& message, std::uint64_t first_sequence, PushResult& result) {
    queued_.push_back(message);
    ++result.accepted;
    while (!room(0, 0)) {
      const bool own = queued_.front().sequence >= first_sequence;
      lose_front(GapReason::kDroppedOldest);
      if (!own) {
        ++result.displaced;
        continue;
      }
      --result.accepted;
      ++result.dropped;
      result.drop_reason = GapReason::kDroppedOldest;
    }
  }

  void wait(const Message& message, model::PublishToken token, base::MonotonicTime now,
            base::MonotonicTime deadline) {
    const base::Duration time = ladder_.steps[0].duration;
    const base::MonotonicTime end = time.count() == 0 ? base::kNever : now + time;
    if (waiting_.empty() || waiting_.back().reserved ||
        !continues(waiting_.back().messages.back(), message) || waiting_.back().token != token) {
      waiting_.push_back({{}, token, std::min(end, deadline), deadline < end, false});
    }
    waiting_.back().messages.push_back(message);
  }

  void move_in(base::MonotonicTime now) {
    while (!waiting_.empty()) {
      Slice& front = waiting_.front();
      if (front.until_deadline && front.expiry <= now) {
        const Slice gone = front;
        waiting_.pop_front();
        give_up(gone, GapReason::kExpired);
        continue;
      }
      if (front.reserved) {
        for (const Message& message : front.messages) queued_.push_back(message);
        waiting_.pop_front();
        continue;
      }
      // Lag is asked once per run of messages that have not expired: it is all of one age.
      for (bool ask = true; !front.messages.empty();) {
        const Message message = front.messages.front();
        if (message.expires <= now) {
          front.messages.erase(front.messages.begin());
          lose(message, GapReason::kExpired);
          settle(front.token, 0, 1, GapReason::kExpired);
          ask = true;
          continue;
        }
        if (ask && lagged(now)) return;
        ask = false;
        if (!fits(message)) break;
        queued_.push_back(message);
        settle(front.token, 1, 0, {});
        front.messages.erase(front.messages.begin());
      }
      if (!front.messages.empty()) return;
      waiting_.pop_front();
    }
  }

  void give_up(const Slice& slice, GapReason reason) {
    for (const Message& message : slice.messages) lose(message, reason);
    settle(slice.token, 0, slice.messages.size(), reason);
  }

  void climb() {
    const StepKind step = ladder_.steps[1].kind;
    if (step != StepKind::kDropOldest) {
      const Slice slice = waiting_.front();
      waiting_.pop_front();
      return give_up(slice,
                     step == StepKind::kReject ? GapReason::kRejected : GapReason::kDroppedNewest);
    }
    PushResult result;
    Slice& front = waiting_.front();
    const std::uint64_t first = front.messages.front().sequence;
    while (!front.messages.empty()) {
      const Message message = front.messages.front();
      front.messages.erase(front.messages.begin());
      displace(message, first, result);
    }
    settle(front.token, result.accepted, result.dropped, GapReason::kDroppedOldest);
    waiting_.pop_front();
  }

  void settle(model::PublishToken token, std::uint64_t accepted, std::uint64_t dropped,
              GapReason reason) {
    if (settled_.empty() || settled_.back().token != token) {
      settled_.emplace_back();
      settled_.back().token = token;
    }
    settled_.back().accepted += static_cast<std::uint32_t>(accepted);
    settled_.back().dropped += static_cast<std::uint32_t>(dropped);
    if (dropped > 0) settled_.back().drop_reason = reason;
  }

  bool present_between(std::uint64_t after, std::uint64_t before) const {
    const auto between = [&](const Message& message) {
      return message.sequence > after && message.sequence < before;
    };
    if (std::any_of(queued_.begin(), queued_.end(), between)) return true;
    return std::any_of(waiting_.begin(), waiting_.end(), [&](const Slice& slice) {
      return std::any_of(slice.messages.begin(), slice.messages.end(), between);
    });
  }

  void lose(const Message& message, GapReason reason) {
    ++dropped_[index_of(reason)];
    Hole* before = nullptr;
    Hole* after = nullptr;
    for (Hole& hole : holes_) {
      if (place(hole) < message.sequence) {
        if (before == nullptr || place(hole) > place(*before)) before = &hole;
      } else if (after == nullptr || place(hole) < place(*after)) {
        after = &hole;
      }
    }
    Hole own{{message, reason}};
    if (after != nullptr && !present_between(message.sequence, place(*after))) {
      own.insert(own.end(), after->begin(), after->end());
      after->clear();
    }
    if (before != nullptr && !present_between(place(*before), message.sequence)) {
      before->insert(before->end(), own.begin(), own.end());
    } else {
      holes_.push_back(own);
    }
    std::erase_if(holes_, [](const Hole& hole) { return hole.empty(); });
  }

  std::vector<Hole>::const_iterator first_hole() const {
    const auto first =
        std::min_element(holes_.begin(), holes_.end(),
                         [](const Hole& a, const Hole& b) { return place(a) < place(b); });
    return first == holes_.end() || present_between(0, place(*first)) ? holes_.end() : first;
  }

  bool take_gap(Gap& gap) {
    const auto first = first_hole();
    if (first == holes_.end()) return false;
    Hole& hole = holes_[static_cast<std::size_t>(first - holes_.begin())];
    GapReason reason = hole.front().reason;
    for (const Lost& lost : hole) reason = std::min(reason, lost.reason);
    gap = {.reason = reason, .first = UINT64_MAX, .last = 0, .count = 0, .bytes = 0};
    for (const Lost& lost : hole) {
      if (lost.reason != reason) continue;
      gap.first = std::min(gap.first, lost.message.sequence);
      gap.last = std::max(gap.last, lost.message.sequence);
      ++gap.count;
      gap.bytes += lost.message.bytes;
    }
    std::erase_if(hole, [&](const Lost& lost) { return lost.reason == reason; });
    std::erase_if(holes_, [](const Hole& each) { return each.empty(); });
    return true;
  }

  Bounds bounds_;
  Ladder ladder_;
  std::deque<Message> queued_;
  std::deque<Slice> waiting_;
  std::vector<Slice> doomed_;
  std::vector<Hole> holes_;
  std::vector<Settled> settled_;
  std::array<std::uint64_t, kGapReasons> dropped_{};
  std::uint64_t next_sequence_ = 1;
  std::uint64_t delivered_ = 0;
  std::uint64_t discarded_ = 0;
  std::uint64_t in_flight_ = 0;
  std::uint64_t in_flight_bytes_ = 0;
  std::uint64_t ceiling_ = UINT64_MAX;
  std::uint64_t reserved_messages_ = 0;
  std::uint64_t reserved_bytes_ = 0;
};

}  // namespace sluice::queue::testing
