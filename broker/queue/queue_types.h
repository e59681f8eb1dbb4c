// queue_types.h: the values that go into a BoundedQueue and come out of it.
//
// Thread:   values; the owner shard, as slices and losses hold their topic.
// Units:    messages; bytes are record bytes unless the comment says otherwise.

#pragma once

#include <cstdint>
#include <variant>

#include "broker/model/slice.h"
#include "broker/queue/gap_list.h"
#include "libs/base/clock.h"

namespace sluice::queue {

/// Bookkeeping charged for each slice held: its entry and its share of the batch header.
inline constexpr std::uint32_t kSliceOverhead = 128;

/// Messages that expire behind others are taken out on a grid of this.
inline constexpr base::Duration kExpiryGranularity = std::chrono::milliseconds(10);

struct Bounds {
  std::uint32_t max_messages = 0;
  std::uint64_t max_bytes = 0;
  base::Duration max_lag{0};  // age of the oldest message; 0: none
};

/// What a consumer has granted.
struct Credit {
  std::uint64_t messages = 0;
  std::int64_t bytes = 0;  // the last message may overdraw it

  bool open() const noexcept { return messages > 0 && bytes > 0; }
};

struct PushResult {
  std::uint32_t accepted = 0;   // messages queued now
  std::uint32_t spilled = 0;    // of `accepted`: those that are in the spill now
  std::uint32_t dropped = 0;    // messages of this push that were not queued
  std::uint32_t waiting = 0;    // messages held back; settled later under the push's token
  std::uint32_t displaced = 0;  // older messages, of whichever push, dropped to make room
  wire::GapReason drop_reason = wire::GapReason::kDroppedNewest;  // of `dropped`, the last one
  bool disconnect = false;  // the ladder came to `disconnect`: the owner ends the subscription
};

/// Further outcome of a push that had `waiting` messages. The outcomes of one token add up to it.
struct Settled {
  model::PublishToken token;
  std::uint32_t accepted = 0;
  std::uint32_t spilled = 0;  // of `accepted`
  std::uint32_t dropped = 0;
  wire::GapReason drop_reason = wire::GapReason::kDroppedNewest;  // of `dropped`, the last one
};

/// Messages to deliver, the first of which has `sequence`.
struct Delivery {
  model::Slice slice;
  std::uint64_t sequence = 0;
  base::MonotonicTime queued_at;                // when it was pushed, waiting included
  base::MonotonicTime deadline = base::kNever;  // of its publish
};

/// Messages lost together, for whoever attributes losses. The range is a hull.
struct Loss {
  wire::GapReason reason = wire::GapReason::kDroppedOldest;
  bool in_receipt = false;  // their publisher is told by PushResult or Settled
  model::TopicRef topic;    // none: of several topics, as kMaxLosses were not fetched
  model::Origin origin;     // the last one's; for kExpired and kCancelled everyone's
  std::uint64_t first = 0;  // sequences
  std::uint64_t last = 0;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

/// Losses kept apart until they are fetched; then one more per reason takes all further ones.
inline constexpr std::size_t kMaxLosses = 64;

/// What may change at any step, for whoever keeps sums over queues in step.
struct Totals {
  std::uint64_t matched = 0;
  std::uint64_t handed = 0;  // delivered or in flight
  std::uint64_t queued = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t waiting = 0;
  std::uint64_t spilled = 0;
  std::uint64_t discarded = 0;
  std::uint64_t dropped = 0;
  std::uint64_t held_bytes = 0;
  std::uint64_t spilled_bytes = 0;
};

using Item = std::variant<std::monostate, Delivery, Gap>;

}  // namespace sluice::queue
