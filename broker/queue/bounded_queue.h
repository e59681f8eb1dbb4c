// bounded_queue.h: what does this subscription get next, and what happens when there is no room?
//
// A queue of slices, bounded in messages, bytes and age. A push that finds no room climbs the
// ladder. What is lost becomes a gap that stands exactly where the hole is, coalesces with its
// neighbours, and is never lost itself. What a `block` step holds back waits here in order, outside
// the bounds (the publisher's grant bounds it), until there is room or its time is over; the
// publish it belongs to is told through take_settled().
//
// Sans-IO: the time comes in as an argument, results are drained by the caller.
//
// Owner:    one subscription.
// Thread:   the owner shard only.
// Units:    messages; bytes are record bytes plus kSliceOverhead for every slice held.
// Limits:   Bounds, exact to the message. At most one gap per reason and hole.
// Order:    messages leave in the order pushed, per publisher and over all; sequences rise.
// Source:   docs/ARCHITECTURE.md, section Queues; DESIGN's promises Receipt, Gap, Ledger, Ladder.
// Tests:    tests/unit/broker/queue/bounded_queue_test.cc (with a plain model),
//           tests/fuzz/fuzz_queue.cc

#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "broker/model/slice.h"
#include "broker/queue/ladder.h"
#include "broker/queue/ledger.h"
#include "broker/queue/ring.h"

namespace sluice::queue {

/// Bookkeeping charged for each slice held: its entry and its share of the batch header.
inline constexpr std::uint32_t kSliceOverhead = 128;

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
  std::uint32_t dropped = 0;    // messages of this push that were not queued
  std::uint32_t waiting = 0;    // messages held back; settled later under the push's token
  std::uint32_t displaced = 0;  // older messages, of whichever push, dropped to make room
  wire::GapReason drop_reason = wire::GapReason::kDroppedNewest;  // of `dropped`, the last one
  bool disconnect = false;      // the ladder came to `disconnect`: the owner ends the subscription
};

/// Further outcome of a push that had `waiting` messages. The outcomes of one token add up to it.
struct Settled {
  model::PublishToken token;
  std::uint32_t accepted = 0;
  std::uint32_t dropped = 0;
  wire::GapReason drop_reason = wire::GapReason::kDroppedNewest;  // of `dropped`, the last one
};

struct Gap {
  wire::GapReason reason = wire::GapReason::kDroppedOldest;
  std::uint64_t first = 0;  // sequences
  std::uint64_t last = 0;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

/// Messages to deliver, the first of which has `sequence`.
struct Delivery {
  model::Slice slice;
  std::uint64_t sequence = 0;
  base::MonotonicTime queued_at;
};

using Item = std::variant<std::monostate, Delivery, Gap>;

class BoundedQueue {
 public:
  BoundedQueue(const Bounds& bounds, const Ladder& ladder);
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  /// Takes `slice`, as far as bounds and ladder allow. `token` names the publish in take_settled()
  /// if part of it has to wait; no step waits longer than `deadline` (kNever: none).
  /// After disconnect in the result nothing of the slice was queued; call close().
  PushResult push(const model::Slice& slice, model::PublishToken token, base::MonotonicTime now,
                  base::MonotonicTime deadline = base::kNever);

  /// True when every message of such a push would be queued at once without loss to others: asked
  /// of every queue before a publish that must be taken by all or none. Makes no change.
  bool has_room(std::uint32_t messages, std::uint64_t record_bytes,
                base::MonotonicTime now) const noexcept;

  /// Holds room for a push that other shards still have to agree to; has_room() counts it.
  void reserve(std::uint32_t messages, std::uint64_t record_bytes) noexcept;
  void unreserve(std::uint32_t messages, std::uint64_t record_bytes) noexcept;

  /// The next thing to send, within `credit`, which is charged. A slice is cut where the credit
  /// ends. A gap needs no credit of its own but waits while credit is not open, so that it grows
  /// in place rather than being told in pieces. Nothing: monostate.
  /// `limit_messages` bounds the slice further (shared subscriptions deal in turns).
  Item next(Credit& credit, base::MonotonicTime now, std::uint32_t limit_messages = UINT32_MAX);

  /// Undoes a delivery that never reached its consumer: back to its place at the front.
  void put_back(const model::Slice& slice, std::uint64_t sequence, base::MonotonicTime now);

  /// Whether next() has anything for a consumer with open credit.
  bool empty() const noexcept;

  /// Lets time pass: `block` steps that are over, messages older than max_lag.
  /// True when the ladder came to `disconnect`.
  bool on_time(base::MonotonicTime now);
  /// When on_time() has something to do next; kNever if nothing.
  base::MonotonicTime next_time() const noexcept;

  /// Outcomes of waiting pushes since the last call, in order. Empties `settled_`.
  std::vector<Settled> take_settled();
  bool has_settled() const noexcept { return !settled_.empty(); }

  /// Ends it: everything held is discarded and counted so; waiting pushes settle as dropped.
  void close();

  /// Gives memory back that an empty queue does not need. For housekeeping.
  void shrink();

  const Ledger& ledger() const noexcept { return ledger_; }
  const Bounds& bounds() const noexcept { return bounds_; }
  const Ladder& ladder() const noexcept { return ladder_; }
  std::uint64_t held_bytes() const noexcept { return held_bytes_; }  // queued, with bookkeeping
  std::uint64_t next_sequence() const noexcept { return next_sequence_; }
  /// Age of the oldest queued message; 0 when none is queued.
  base::Duration lag(base::MonotonicTime now) const noexcept;

  /// Aborts when an invariant does not hold: the ledger's law, bounds, order of entries and gaps.
  void check_invariants() const;

 private:
  // To be filled in by the implementation: entries, gaps, waiting, reservations.
  Bounds bounds_;
  Ladder ladder_;
  Ledger ledger_;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t next_sequence_ = 1;
  std::vector<Settled> settled_;
};

}  // namespace sluice::queue
