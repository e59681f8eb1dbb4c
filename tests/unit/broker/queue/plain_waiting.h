// plain_waiting.h: what waits beside a plain queue, and what becomes of it?
//
// The middle part of PlainQueue: what a block step holds back, and what stands behind it in the
// ladder.
//
// Owner:    one QueueComparison.
// Thread:   one.

#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "tests/unit/broker/queue/plain_spill.h"

namespace sluice::queue::testing {

class PlainWaiting : public PlainSpill {
 public:
  bool on_time(base::MonotonicTime now) {
    const auto gone = [now](base::MonotonicTime time) {
      return time != base::kNever && grid_after(time) <= now;
    };
    lose_if(
        GapReason::kExpired, [&](const Message& message) { return gone(message.expires); },
        [&](const Message& message) { return gone(message.deadline); });
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
      if (climb_front(now)) return true;
      move_in(now);
    }
    return false;
  }

 protected:
  using PlainSpill::PlainSpill;

  // The new message goes in; what is oldest goes out until all fits.
  void displace(const Message& message, base::MonotonicTime now, std::uint64_t first_sequence,
                PushResult& result) {
    if (ladder_.spills()) return displace_into_spill(message, now, first_sequence, result);
    if (ladder_.conflates()) begin_conflation();
    enter(message);
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
    const base::Duration time = ladder_.steps[ladder_.place_of(StepKind::kBlock)].duration;
    const base::MonotonicTime end = time.count() == 0 ? base::kNever : now + time;
    if (waiting_.empty() || waiting_.back().reserved ||
        !continues(waiting_.back().messages.back(), message) || waiting_.back().token != token) {
      waiting_.push_back({{}, token, std::min(end, deadline), deadline < end, false});
    }
    waiting_.back().messages.push_back(message);
  }

  void displace_into_spill(const Message& message, base::MonotonicTime now,
                           std::uint64_t first_sequence, PushResult& result) {
    while (true) {
      ++result.accepted;
      if (spilled_.empty() && fits(message)) return enter(message);
      if (spill_fits(message)) return spill(message);
      --result.accepted;
      if (oldest() == nullptr) break;
      const std::uint64_t first = oldest()->sequence;
      in_hand_ = &message;
      const auto lost = static_cast<std::uint32_t>(lose_front(GapReason::kDroppedOldest));
      in_hand_ = nullptr;
      refill(now);
      for (std::uint64_t gone = first; gone < first + lost; ++gone) {
        if (gone < first_sequence) {
          ++result.displaced;
          continue;
        }
        --result.accepted;
        ++result.dropped;
        result.drop_reason = GapReason::kDroppedOldest;
      }
    }
    lose(message, GapReason::kDroppedOldest);
    ++result.dropped;
    result.drop_reason = GapReason::kDroppedOldest;
  }

  void move_in(base::MonotonicTime now) {
    while (true) {
      refill(now);
      const std::size_t waiting = waiting_messages();
      move_in_once(now);
      if (spilled_.empty() || waiting == waiting_messages()) return;
    }
  }

  std::size_t waiting_messages() const {
    std::size_t count = 0;
    for (const Slice& slice : waiting_) count += slice.messages.size();
    return count;
  }

  void move_in_once(base::MonotonicTime now) {
    while (!waiting_.empty()) {
      Slice& front = waiting_.front();
      if (front.until_deadline && front.expiry <= now) {
        const Slice gone = front;
        waiting_.pop_front();
        give_up(gone, GapReason::kExpired);
        continue;
      }
      if (front.reserved) {
        const bool behind =
            ladder_.spills() && (!spilled_.empty() || !room_in_turn(front.messages));
        while (behind && !front.messages.empty()) {
          spill(front.messages.front());
          front.messages.erase(front.messages.begin());
        }
        while (!front.messages.empty()) {
          const Message message = front.messages.front();
          front.messages.erase(front.messages.begin());
          enter(message);
        }
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
        const bool full = !spilled_.empty() || (ask && lagged(now)) || !fits(message);
        ask = conflating_;
        if (full && ladder_.spills_before_block()) {
          if (!spill_fits(message)) return;
          front.messages.erase(front.messages.begin());
          spill(message);
          settle(front.token, 1, 0, {}, 1);
          continue;
        }
        if (full &&
            !(conflating_ && ladder_.conflates_before_block() && fits_instead(message, now)))
          return;
        front.messages.erase(front.messages.begin());
        enter(message);
        settle(front.token, 1, 0, {});
      }
      if (!front.messages.empty()) return;
      waiting_.pop_front();
    }
  }

  void give_up(const Slice& slice, GapReason reason) {
    for (const Message& message : slice.messages) lose(message, reason);
    settle(slice.token, 0, slice.messages.size(), reason);
  }

  // True when it came to disconnect.
  bool climb_front(base::MonotonicTime now) {
    for (std::size_t step = ladder_.place_of(StepKind::kBlock) + 1;; ++step) {
      Slice& front = waiting_.front();
      const StepKind kind = ladder_.steps[step].kind;
      if (kind == StepKind::kDisconnect) return true;
      if (kind == StepKind::kConflate) {
        begin_conflation();
        while (!front.messages.empty() && fits_instead(front.messages.front(), now)) {
          const Message message = front.messages.front();
          front.messages.erase(front.messages.begin());
          enter(message);
          settle(front.token, 1, 0, {});
        }
        if (!front.messages.empty()) continue;
        waiting_.pop_front();
      } else if (kind == StepKind::kSpill) {
        while (!front.messages.empty() && spill_fits(front.messages.front())) {
          spill(front.messages.front());
          front.messages.erase(front.messages.begin());
          settle(front.token, 1, 0, {}, 1);
        }
        if (!front.messages.empty()) continue;
        waiting_.pop_front();
      } else if (kind == StepKind::kDropOldest) {
        displace_front(now);
      } else {
        const Slice slice = waiting_.front();
        waiting_.pop_front();
        give_up(slice,
                kind == StepKind::kReject ? GapReason::kRejected : GapReason::kDroppedNewest);
      }
      return false;
    }
  }

  void displace_front(base::MonotonicTime now) {
    PushResult result;
    Slice& front = waiting_.front();
    const std::uint64_t first = front.messages.front().sequence;
    while (!front.messages.empty()) {
      const Message message = front.messages.front();
      front.messages.erase(front.messages.begin());
      displace(message, now, first, result);
    }
    settle(front.token, result.accepted, result.dropped, GapReason::kDroppedOldest,
           spilled_from(first));
    waiting_.pop_front();
  }
};

}  // namespace sluice::queue::testing
