// entry.h: a slice as it stands in a queue, in its spill, or waits beside both.
//
// Owner:    one BoundedQueue.
// Thread:   the owner's.
// Tests:    those of bounded_queue.h.

#pragma once

#include <cstdint>

#include "broker/model/slice.h"
#include "libs/base/clock.h"

namespace sluice::queue::detail {

struct Entry {
  model::Slice slice;
  std::uint64_t sequence = 0;
  base::MonotonicTime queued_at;
  base::MonotonicTime deadline = base::kNever;  // of its publish
  base::MonotonicTime expires = base::kNever;   // no message of it expires earlier

  std::uint64_t end() const noexcept { return sequence + slice.count; }
};

// Whether `next` goes on where `entry` ends, if both are of one batch.
inline bool goes_on(const Entry& entry, const Entry& next) noexcept {
  return next.slice.first != 0 && entry.slice.first + entry.slice.count == next.slice.first &&
         entry.end() == next.sequence && entry.queued_at == next.queued_at &&
         entry.deadline == next.deadline;
}

// Whether the two may stand as one.
inline bool continues(const Entry& entry, const Entry& next) noexcept {
  return goes_on(entry, next) && entry.slice.batch.data() == next.slice.batch.data();
}

inline Entry split_front(Entry& entry, std::uint32_t messages) {
  Entry front{entry.slice.split_front(messages), entry.sequence, entry.queued_at, entry.deadline,
              entry.expires};
  entry.sequence += messages;
  return front;
}

}  // namespace sluice::queue::detail
