// The part of BoundedQueue that gives way when the process is short of memory.

#include <algorithm>

#include "broker/queue/bounded_queue.h"

namespace sluice::queue {

std::uint64_t BoundedQueue::squeeze(std::uint64_t bytes) {
  std::uint64_t lost = 0;
  while (settling() == StepKind::kDropOldest && !entries_.empty() && held_bytes_ > bytes) {
    const model::Slice& front = entries_.front().slice;
    const std::uint64_t excess = held_bytes_ - bytes;
    const std::uint32_t messages = std::min(front.count, front.count_within(excess - 1) + 1);
    drop_front(messages, wire::GapReason::kSqueezed);
    lost += messages;
  }
  return lost;
}

}  // namespace sluice::queue
