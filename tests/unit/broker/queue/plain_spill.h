// plain_spill.h: what of a plain queue is spilled, and when does it come back?
//
// The part of PlainQueue above PlainState. Its store is memory that refuses nothing.
//
// Owner:    one QueueComparison.
// Thread:   one.

#pragma once

#include "tests/unit/broker/queue/plain_state.h"

namespace sluice::queue::testing {

class PlainSpill : public PlainState {
 protected:
  using PlainState::PlainState;

  bool joins_spilled(const Message& message) const {
    return !spilled_.empty() && continues(spilled_.back().messages.back(), message);
  }
  bool spill_fits(const Message& message) const {
    if (ceiling_ != UINT64_MAX) return false;
    const std::uint64_t more = message.bytes + (joins_spilled(message) ? 0 : kSliceOverhead);
    return spilled_bytes() + more <= ladder_.spill_bytes;
  }
  void spill(const Message& message) {
    if (!joins_spilled(message)) spilled_.push_back({{}, model::PublishToken(0), base::kNever});
    spilled_.back().messages.push_back(message);
  }
  void refill(base::MonotonicTime now) {
    if (!queued_.empty() && lagged(now)) return;
    while (!spilled_.empty() && fits(spilled_.front().messages.front())) {
      Slice& front = spilled_.front();
      queued_.push_back(front.messages.front());
      front.messages.erase(front.messages.begin());
      if (front.messages.empty()) spilled_.pop_front();
    }
  }
};

}  // namespace sluice::queue::testing
