// The invariants of Held, for tests and the simulator after every step.

#include "broker/queue/held.h"
#include "libs/base/assert.h"

namespace sluice::queue::detail {

void Held::check_invariants() const {
  ASSERT(ledger().imbalance() == 0);
  check_entries();
  if (rare_ != nullptr) {
    check_rare();
  } else {
    ASSERT(fits(0, 0));
  }
}

void Held::check_entries() const {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t end = 1;
  std::uint32_t dead = 0;
  for (std::uint32_t at = 0; at < entries_.size(); ++at) {
    const Entry& entry = entries_[at];
    ASSERT(entry.sequence >= end);
    if (entry.slice.count == 0) {
      ++dead;
      ASSERT(at > 0 && at + 1 < entries_.size() && entry.slice.first > 0);
      continue;
    }
    ASSERT(conflating() ? entry.slice.count == 1 : at == 0 || !continues(entries_[at - 1], entry));
    end = entry.sequence + entry.slice.count;
    messages += entry.slice.count;
    bytes += entry.slice.records + bookkeeping(entry.slice.count);
  }
  ASSERT(dead == (rare_ ? rare_->dead : 0));
  ASSERT(messages == queued_);
  ASSERT(bytes == held_bytes_);
  ASSERT(end <= next_sequence_);
}

void Held::check_rare() const {
  const Rare& state = *rare_;
  ASSERT(queued_ <= messages_max() + state.over_messages);
  ASSERT(held_bytes_ <= bytes_max() + state.over_bytes);
  ASSERT(state.gaps.untold() <= ledger().dropped_total());
  state.gaps.check_invariants();

  std::uint64_t end = entries_.empty() ? 1 : entries_.back().sequence + entries_.back().slice.count;
  std::uint64_t messages = 0;
  if (state.spill != nullptr && !state.spill->empty()) {
    state.spill->check_invariants();
    ASSERT(state.spill->front().sequence >= end);
    end = state.spill->at(state.spill->size() - 1).end();
  }
  for (std::uint32_t at = 0; at < state.waiting.size(); ++at) {
    const Waiting& waiting = state.waiting[at];
    ASSERT(waiting.entry.sequence >= end);
    ASSERT(state.expiry_min <= waiting.expiry);
    ASSERT(!waiting.reserved || at > 0);
    end = waiting.entry.sequence + waiting.entry.slice.count;
    messages += waiting.entry.slice.count;
  }
  ASSERT(messages == state.waiting_messages);
  ASSERT(end <= next_sequence_);
  ASSERT(state.waiting.empty() || ladder_.blocks());
}

}  // namespace sluice::queue::detail
