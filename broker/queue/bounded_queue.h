// bounded_queue.h: what does this subscription get next, and what happens when there is no room?
//
// A queue of slices, bounded in messages, bytes and age. A push that finds no room climbs the
// ladder. What is lost becomes a gap where the hole is, coalesces with its neighbours, and is never
// lost itself. What a `block` step holds back waits here in order, outside the bounds (the
// publisher's grant bounds it); its publish is told through take_settled().
//
// Owner:    one subscription.
// Thread:   the owner shard only. The time comes in as an argument, results are drained.
// Units:    messages; bytes are record bytes plus kSliceOverhead for every slice held.
// Limits:   Bounds, but for put_back() and push_reserved(); one gap per reason and hole.
// Order:    messages leave in the order pushed; sequences rise. Times given do not fall. After
//           close() nothing is pushed or put back.
// Source:   docs/ARCHITECTURE.md, section Queues.
// Tests:    tests/unit/broker/queue, tests/fuzz/fuzz_queue.cc, tests/bench/micro/queue_bench.cc

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "broker/queue/held.h"

namespace sluice::queue {

class BoundedQueue : public detail::Held {
 public:
  /// Requires: both bounds are set; a ladder that parse_ladder() would give. For one that spills:
  /// its spill_bytes, and a store, which outlives the queue and knows it by `tag`.
  BoundedQueue(const Bounds& bounds, const Ladder& ladder, port::SpillStore* store = nullptr,
               std::uint64_t tag = 0);
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

  /// Holds room, which has_room() counts, for a push still to be agreed on. Requires: has_room().
  void reserve(std::uint32_t messages, std::uint64_t record_bytes);
  void unreserve(std::uint32_t messages, std::uint64_t record_bytes) noexcept;
  /// The push that room was reserved for: it is accepted whatever came in between, though it may
  /// stand behind what waits and exceed the bounds in its turn. Requires: as much was reserved.
  PushResult push_reserved(const model::Slice& slice, base::MonotonicTime now,
                           base::MonotonicTime deadline = base::kNever);

  /// A push of which nothing is taken, for a reason of the caller's: it counts and leaves a gap.
  PushResult turn_away(const model::Slice& slice, wire::GapReason reason, base::MonotonicTime now);

  /// The next thing to send, within `credit`, which is charged. A slice is cut where the credit
  /// ends. A gap needs no credit of its own but waits while credit is not open, so that it grows
  /// in place rather than being told in pieces. Nothing: monostate.
  /// `limit_messages` bounds the slice further (shared subscriptions deal in turns).
  Item next(Credit& credit, base::MonotonicTime now, std::uint32_t limit_messages = UINT32_MAX);
  /// The same, but what it gives is in flight at once: it has a way to go yet.
  Item deal(Credit& credit, base::MonotonicTime now, std::uint32_t limit_messages = UINT32_MAX);

  /// Undoes a delivery that never reached its consumer: back to its place, by sequence, of the age
  /// of what stands behind it. Credit is the caller's to restore. May exceed the bounds.
  void put_back(const model::Slice& slice, std::uint64_t sequence, base::MonotonicTime now,
                base::MonotonicTime deadline = base::kNever);
  /// The same for a gap that was not told, so that the next consumer is told.
  void put_back(const Gap& gap);

  /// Takes out every copy of a publish, queued or waiting: how many messages. Looks at slices().
  std::uint64_t withdraw(const model::Origin& origin, base::MonotonicTime now);

  /// That much of what next() gave is not yet taken by the socket: it counts against the bounds
  /// till it is released. Bytes as held_bytes() counts them. Requires: as much was delivered.
  void hold_in_flight(std::uint64_t messages, std::uint64_t bytes);
  void release_in_flight(std::uint64_t messages, std::uint64_t bytes);
  void release_in_flight();
  /// Its consumer went away with it, and it may have arrived or not.
  void discard_in_flight(std::uint64_t messages, std::uint64_t bytes);

  /// A lower bound in bytes while memory is short (kNoCeiling: none). A ladder that gives way loses
  /// at once, from the front, what is over it: how many messages. With others it counts as full.
  std::uint64_t set_ceiling(std::uint64_t bytes, base::MonotonicTime now);

  /// What was lost since the last call, in the order of losing; at most kMaxLosses + kGapReasons.
  std::vector<Loss> take_losses();

  /// Lets time pass: `block` steps that are over, messages older than max_lag.
  /// True when the ladder came to `disconnect`.
  bool on_time(base::MonotonicTime now);
  /// When on_time() has something to do next; kNever if nothing. Never late, seldom early.
  base::MonotonicTime next_time() const noexcept;

  /// Outcomes of waiting pushes since the last call, in order.
  std::vector<Settled> take_settled();

  /// Ends it: everything held is discarded and counted so; waiting pushes settle as dropped.
  void close();
  /// Gives memory back that an empty queue does not need. For housekeeping.
  void shrink();

 private:
  using Entry = detail::Entry;
  using Waiting = detail::Waiting;
  using Rare = detail::Rare;
  using Tally = detail::Tally;

  // Pushing (bounded_queue.cc).
  bool fits_whole(const Entry& entry) const;
  std::uint32_t leading_run(const model::Slice& slice, bool& too_large) const;
  void take_in(Entry entry, model::PublishToken token, PushResult& result);
  void push_open(const model::Slice& slice, base::MonotonicTime now, base::MonotonicTime deadline,
                 base::MonotonicTime expires);
  void append(Entry entry);
  void count_entered(const Entry& entry);
  void join_at(std::uint32_t at);
  void push_slowly(Entry entry, model::PublishToken token, PushResult& result);
  void push_run(Entry run, model::PublishToken token, Tally tally);
  void climb(Entry run, model::PublishToken token, Tally tally);
  void refuse(const Entry& entry, wire::GapReason reason, PushResult& result);
  Item take(Credit& credit, base::MonotonicTime now, std::uint32_t limit_messages);
  void take_front(std::uint32_t messages, Delivery& delivery);

  // Expiring (bounded_queue_expiry.cc).
  Entry make_entry(const model::Slice& slice, base::MonotonicTime now,
                   base::MonotonicTime deadline) noexcept;
  void push_late(Entry entry, model::PublishToken token, PushResult& result);
  void note_expiry(base::MonotonicTime expires);
  std::uint32_t skip_expired(base::MonotonicTime now);
  void sweep(base::MonotonicTime now);
  static std::uint32_t leading_run(Entry& entry, base::MonotonicTime until, bool& gone);

  // Spilling (bounded_queue_spill.cc).
  bool may_spill() const;
  std::uint32_t spilled_from(std::uint64_t sequence) const noexcept;
  std::uint32_t spill(Entry* run, std::uint32_t most = UINT32_MAX);
  std::uint32_t place(Entry* run);
  void take_in_reserved(Entry entry);
  void refill(base::MonotonicTime now);
  void displace_into_spill(Entry* run, base::MonotonicTime now, Tally tally);
  void drop_oldest(std::uint32_t most, wire::GapReason reason, bool in_receipt = false);
  std::uint64_t squeeze();

  // Losing (bounded_queue_loss.cc).
  void displace(Entry entry, Tally tally);
  std::uint32_t count_without_place(const model::Slice& slice) const;
  void make_room(const Entry& entry, Tally tally);
  void drop_front(std::uint32_t messages, wire::GapReason reason, bool in_receipt = false);
  void drop_all(Tally tally);
  void displace_front(std::uint32_t messages, Tally tally);
  void lose(const Entry& entry, wire::GapReason reason, bool in_receipt);
  Gap take_gap();
  void note_loss(const Entry& entry, wire::GapReason reason, bool in_receipt);
  void add_gap(const Gap& gap);
  bool holds_between(std::uint64_t after, std::uint64_t before) noexcept;

  // Conflating (bounded_queue_conflate.cc).
  void begin_conflation();
  void end_conflation_if_drained();
  void end_conflation();
  void trim_dead();
  std::uint32_t live_from(std::uint32_t at);
  std::uint32_t place_of(const ConflationKey& key) const;
  bool fits_instead(std::uint32_t old, std::uint32_t records, base::MonotonicTime now) const;
  void put_newest(Entry entry, const ConflationKey& key);
  void give_way(std::uint32_t at);
  void enter(Entry entry);
  Entry take_some(Entry* run, std::uint32_t messages);
  std::uint32_t conflate(Entry* run, base::MonotonicTime now, std::uint32_t most = UINT32_MAX);
  void conflate_displacing(Entry* run, Tally tally);
  void extend(Delivery& delivery, Credit& credit, base::MonotonicTime now, std::uint32_t limit);

  // Waiting (bounded_queue_waiting.cc).
  void wait(Entry entry, model::PublishToken token, PushResult& result);
  Waiting take_waiting(std::uint32_t at);
  void move_in(base::MonotonicTime now);
  bool move_in_front(base::MonotonicTime now);
  bool expire(base::MonotonicTime now);
  void give_up(std::uint32_t at, wire::GapReason reason);
  void give_up_front(std::uint32_t messages, wire::GapReason reason);
  bool climb_front(base::MonotonicTime now);
  bool conflate_front(base::MonotonicTime now, std::uint32_t most);
  bool spill_front(std::uint32_t most);
  void displace_waiting(base::MonotonicTime now);
  void settle(model::PublishToken token, std::uint32_t accepted, std::uint32_t dropped,
              wire::GapReason reason, std::uint32_t spilled = 0);
  void discard_waiting();
};

}  // namespace sluice::queue
