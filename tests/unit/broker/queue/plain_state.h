// plain_state.h: what does a queue hold, said as plainly as possible?
//
// Every message stands for itself, in deques; everything is counted anew when asked. The lowest
// part of PlainQueue: room, losses, and what conflation leaves.
//
// Owner:    one QueueComparison.
// Thread:   one.

#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "broker/queue/bounded_queue.h"
#include "tests/unit/broker/queue/plain_holes.h"

namespace sluice::queue::testing {

class PlainState {
 public:
  PlainState(const Bounds& bounds, const Ladder& ladder) : bounds_(bounds), ladder_(ladder) {}

  std::uint64_t held_bytes() const {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < queued_.size(); ++i) {
      bytes += queued_[i].bytes;
      const bool apart = i == 0 || !continues(queued_[i - 1], queued_[i]);
      if (apart || ladder_.conflates()) bytes += kSliceOverhead;
    }
    return bytes;
  }
  base::Duration lag(base::MonotonicTime now) const {
    const Message* front = oldest();
    return front == nullptr ? base::Duration(0) : now - front->queued_at;
  }

 protected:
  struct Slice {
    std::vector<Message> messages;
    model::PublishToken token;
    base::MonotonicTime expiry;
    bool until_deadline = false;
    bool reserved = false;
  };
  const Message* oldest() const {
    if (!queued_.empty()) return &queued_.front();
    return spilled_.empty() ? nullptr : &spilled_.front().messages.front();
  }
  auto present() const {
    return [this](std::uint64_t after, std::uint64_t before) {
      return present_between(after, before);
    };
  }
  static bool continues(const Message& a, const Message& b) {
    return a.batch == b.batch && a.index + 1 == b.index && a.sequence + 1 == b.sequence &&
           a.queued_at == b.queued_at && a.deadline == b.deadline;
  }
  static base::MonotonicTime grid_after(base::MonotonicTime time) {
    if (time == base::kNever) return time;
    const std::int64_t step = kExpiryGranularity.count();
    const std::int64_t ticks = time.time_since_epoch().count();
    return base::MonotonicTime(base::Duration((ticks + step - 1) / step * step));
  }
  // Of what is spilled only whole publishes go, by their first message.
  template <typename Wanted, typename Spilled>
  std::uint64_t lose_if(GapReason reason, Wanted wanted, Spilled wanted_spilled) {
    std::vector<Message> lost;
    for (std::size_t at = 0; at < queued_.size();) {
      if (wanted(queued_[at])) {
        lost.push_back(queued_[at]);
        queued_.erase(queued_.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        ++at;
      }
    }
    std::erase_if(spilled_, [&](const Slice& slice) {
      if (!wanted_spilled(slice.messages.front())) return false;
      lost.insert(lost.end(), slice.messages.begin(), slice.messages.end());
      return true;
    });
    for (const Message& message : lost) lose(message, reason);
    return lost.size();
  }
  template <typename Wanted>
  std::uint64_t lose_if(GapReason reason, Wanted wanted) {
    return lose_if(reason, wanted, [](const Message&) { return false; });
  }

  bool lagged(base::MonotonicTime now) const {
    return bounds_.max_lag.count() > 0 && lag(now) > bounds_.max_lag;
  }
  bool too_large(const Message& message) const {
    return message.bytes + kSliceOverhead > bounds_.max_bytes;
  }
  std::uint64_t bookkeeping(std::uint64_t messages) const {
    return ladder_.conflates() ? messages * kSliceOverhead : kSliceOverhead;
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
  bool room_in_turn(const std::vector<Message>& messages) const {
    std::uint64_t bytes =
        !queued_.empty() && continues(queued_.back(), messages.front()) ? 0 : kSliceOverhead;
    for (const Message& message : messages) bytes += message.bytes;
    return room(messages.size(), bytes);
  }
  bool room_for(const std::vector<Message>& messages) const {
    std::uint64_t bytes = bookkeeping(messages.size());
    for (const Message& message : messages) bytes += message.bytes;
    return room(messages.size(), bytes);
  }
  bool fits(const Message& message) const {
    const bool joins =
        !queued_.empty() && continues(queued_.back(), message) && !ladder_.conflates();
    return room(1, message.bytes + (joins ? 0 : kSliceOverhead));
  }
  // The oldest message, or all that were spilled with it. How many.
  std::uint64_t lose_front(GapReason reason) {
    if (queued_.empty()) {
      const Slice front = spilled_.front();
      spilled_.pop_front();
      for (const Message& message : front.messages) lose(message, reason);
      return front.messages.size();
    }
    const Message front = queued_.front();
    queued_.pop_front();
    lose(front, reason);
    return 1;
  }

  std::uint64_t spilled_bytes() const {
    std::uint64_t bytes = 0;
    for (const Slice& slice : spilled_) {
      bytes += kSliceOverhead;
      for (const Message& message : slice.messages) bytes += message.bytes;
    }
    return bytes;
  }
  std::uint64_t spilled_from(std::uint64_t sequence) const {
    std::uint64_t count = 0;
    for (const Slice& slice : spilled_) {
      for (const Message& message : slice.messages) count += message.sequence >= sequence ? 1 : 0;
    }
    return count;
  }
  // Only the newest of each topic or key stays; so it goes on until the queue is half empty.
  void begin_conflation() {
    if (conflating_) return;
    conflating_ = true;
    std::vector<std::uint64_t> stay;
    for (std::size_t i = 0; i < queued_.size(); ++i) {
      bool newest = true;
      for (std::size_t j = i + 1; j < queued_.size(); ++j) {
        newest = newest && !stands_for(queued_[j], queued_[i]);
      }
      if (newest) stay.push_back(queued_[i].sequence);
    }
    lose_if(GapReason::kConflated, [&](const Message& message) {
      return std::find(stay.begin(), stay.end(), message.sequence) == stay.end();
    });
    built_ = queued_.size();
  }

  bool stands_for(const Message& newer, const Message& older) const {
    return newer.topic == older.topic && (!ladder_.conflates_by_key() || newer.key == older.key);
  }

  void enter(const Message& message) {
    queued_.push_back(message);
    if (!conflating_) return;
    lose_if(GapReason::kConflated, [&](const Message& older) {
      return older.sequence != message.sequence && stands_for(message, older);
    });
  }

  bool fits_instead(const Message& message, base::MonotonicTime now) {
    const std::deque<Message> before = queued_;
    std::erase_if(queued_, [&](const Message& older) { return stands_for(message, older); });
    const bool fit = !lagged(now) && fits(message);
    queued_ = before;
    return fit;
  }

  void settle(model::PublishToken token, std::uint64_t accepted, std::uint64_t dropped,
              GapReason reason, std::uint64_t spilled = 0) {
    if (settled_.empty() || settled_.back().token != token) {
      settled_.emplace_back();
      settled_.back().token = token;
    }
    settled_.back().accepted += static_cast<std::uint32_t>(accepted);
    settled_.back().dropped += static_cast<std::uint32_t>(dropped);
    settled_.back().spilled += static_cast<std::uint32_t>(spilled);
    if (dropped > 0) settled_.back().drop_reason = reason;
  }

  bool present_between(std::uint64_t after, std::uint64_t before) const {
    const auto between = [&](const Message& message) {
      return message.sequence > after && message.sequence < before;
    };
    if (in_hand_ != nullptr && between(*in_hand_)) return true;
    if (std::any_of(queued_.begin(), queued_.end(), between)) return true;
    const auto holds = [&](const Slice& slice) {
      return std::any_of(slice.messages.begin(), slice.messages.end(), between);
    };
    return std::any_of(spilled_.begin(), spilled_.end(), holds) ||
           std::any_of(waiting_.begin(), waiting_.end(), holds);
  }

  void lose(const Message& message, GapReason reason) {
    ++dropped_[index_of(reason)];
    holes_.add(message, reason, present());
  }

  Bounds bounds_;
  Ladder ladder_;
  std::deque<Message> queued_;
  const Message* in_hand_ = nullptr;  // what room is being made for
  std::deque<Slice> spilled_;
  std::deque<Slice> waiting_;
  std::vector<Slice> doomed_;
  PlainHoles holes_;
  std::vector<Settled> settled_;
  std::array<std::uint64_t, kGapReasons> dropped_{};
  bool conflating_ = false;
  std::size_t built_ = 0;  // messages that were left when it began
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
