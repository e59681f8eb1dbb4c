// plain_pushing.h: what does a push do, message by message?
//
// The part of PlainQueue that climbs the ladder.
//
// Owner:    one QueueComparison.
// Thread:   one.

#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "tests/unit/broker/queue/plain_waiting.h"

namespace sluice::queue::testing {

class PlainPushing : public PlainWaiting {
 protected:
  using PlainWaiting::PlainWaiting;

  void refuse(const Message& message, GapReason reason, PushResult& result) {
    lose(message, reason);
    ++result.dropped;
    result.drop_reason = reason;
  }

  void push_run(const std::vector<Message>& messages, model::PublishToken token,
                base::MonotonicTime now, PushResult& result) {
    if (waiting_.empty() && spilled_.empty() && !lagged(now) && room_for(messages) &&
        !conflating_) {
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
    if (queued_.size() * 2 <= built_) conflating_ = false;
    const bool reject = first == StepKind::kReject && (lagged(now) || !fits_all);
    const std::uint64_t first_sequence = messages.front().sequence;
    // How high on the ladder a message of this run had to go: those behind it start there.
    std::size_t reached = 0;
    bool room = true;
    for (const Message& message : messages) {
      if (result.disconnect) {
        refuse(message, GapReason::kDisconnected, result);
      } else if (too_large(message)) {
        refuse(message, GapReason::kTooLarge, result);
        reached = 0;
        room = true;
      } else if (reject) {
        refuse(message, GapReason::kRejected, result);
      } else if (waiting_.empty() && spilled_.empty() && room && !lagged(now) && fits(message)) {
        enter(message);
        ++result.accepted;
      } else {
        room = false;
        if (!waiting_.empty()) reached = ladder_.place_of(StepKind::kBlock);
        climb(message, token, first_sequence, reached, result);
      }
    }
  }

  void climb(const Message& message, model::PublishToken token, std::uint64_t first_sequence,
             std::size_t& step, PushResult& result) {
    for (;; ++step) {
      switch (ladder_.steps[step].kind) {
        case StepKind::kConflate:
          begin_conflation();
          if (!fits_instead(message, message.queued_at)) continue;
          enter(message);
          ++result.accepted;
          return;
        case StepKind::kSpill:
          if (!spill_fits(message)) continue;
          spill(message);
          ++result.accepted;
          return;
        case StepKind::kBlock:
          wait(message, token, message.queued_at, message.deadline);
          ++result.waiting;
          return;
        case StepKind::kDropOldest:
          return displace(message, message.queued_at, first_sequence, result);
        case StepKind::kDropNewest:
          return refuse(message, GapReason::kDroppedNewest, result);
        case StepKind::kReject:
          return refuse(message, GapReason::kRejected, result);
        case StepKind::kDisconnect:
          result.disconnect = true;
          return refuse(message, GapReason::kDisconnected, result);
      }
    }
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
  bool fits_whole(const std::vector<Message>& messages) {
    const std::deque<Message> before = queued_;
    for (const Message& message : messages) {
      if (!too_large(message)) queued_.push_back(message);
    }
    const bool fit = room(0, 0);
    queued_ = before;
    return fit;
  }
};

}  // namespace sluice::queue::testing
