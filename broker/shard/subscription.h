// subscription.h: a queue and who it is for.
//
// Owner:    Subscriptions' table on the shard that owns the queue: the connection's own for a plain
//           subscription, the group's home for a shared one.
// Thread:   the owner shard only.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/flow/drain_rate.h"
#include "broker/queue/bounded_queue.h"
#include "broker/shard/connection.h"
#include "broker/shard/group_members.h"

namespace sluice::shard {

/// What a shared subscription has beyond its queue.
struct Group {
  std::string name;
  GroupMembers members;
  bool woken = false;  // stands in Groups' list for this turn
  std::vector<std::pair<model::ShardId, GroupJoinedLetter>> joining;  // until it is active
};

/// A slow consumer, rehearsed.
struct Rehearsed {
  base::Duration delay{0};
  base::MonotonicTime held_until;  // the next message goes then
  std::uint64_t deliveries = 0;
};

struct Subscription {
  Subscription(const queue::Bounds& bounds, const queue::Ladder& ladder, port::SpillStore* store,
               std::uint64_t token)
      : queue(bounds, ladder, store, token) {}

  queue::BoundedQueue queue;
  queue::Credit credit;              // plain: what the client has granted
  Connection* connection = nullptr;  // plain: whose; null for a shared one
  model::SubscriptionId id;          // plain: what the client calls it
  model::SubscriptionSlot slot;
  std::uint64_t serial = 0;        // never given to another on this shard, as slots are
  bool active = false;             // plain: SUBSCRIBED has been sent, deliveries may follow
  bool ready = false;              // stands in connection->ready
  bool strict = false;             // its ladder may reject a publish
  bool paused = false;             // by an operator
  std::uint32_t paced_by = 0;      // number of the limit that holds deliveries back; 0: none
  bool dropping = false;           // was reported as losing messages
  std::uint64_t dropped_seen = 0;  // ledger's total at the last look
  base::MonotonicTime timer = base::kNever;  // the earliest entry in the heap of timers
  std::uint32_t awaited = 0;                 // shards that have not confirmed its interest yet
  std::uint64_t correlation = 0;             // of SUBSCRIBE, until it is answered
  wire::Resumed resumed;                     // what shards have told so far of the one it follows
  flow::DrainRate drain_rate;                // seen by housekeeping
  std::string name;
  std::vector<std::string> filters;
  std::unique_ptr<Group> group;  // shared subscriptions only

  std::unique_ptr<SubscriptionLimits> limits;  // of Limiting; null: none looked for

  std::unique_ptr<Rehearsed> rehearsed;  // of Rehearsals; null: as it is

  // Of LimitedByStates.
  model::LimitedBy limited_by = model::LimitedBy::kIdle;
  base::MonotonicTime began;
  base::MonotonicTime delivered_at;  // when something last left the queue for a consumer
  std::unique_ptr<LimitedByClock> clock;
  std::uint64_t last_mark = 0;  // in Core::marks
  std::uint64_t last_drop = 0;  // in Core::drops

  /// True when what is pushed now will probably still be queued after this turn.
  bool is_behind() const {
    if (group) return group->members.empty();
    return !credit.open() || connection->output_paused ||
           static_cast<std::int64_t>(queue.held_bytes()) > credit.bytes;
  }

  /// True when a copy pushed now is expected to wait past `deadline`.
  bool waits_past(base::MonotonicTime deadline, base::MonotonicTime now) const {
    if (deadline == base::kNever) return false;
    const queue::Ledger ledger = queue.ledger();
    const auto wait = drain_rate.wait(ledger.queued + ledger.spilled + ledger.waiting);
    return wait && *wait >= deadline - now;
  }

  /// True when its ladder lets go of messages rather than have publishers wait or be refused.
  bool may_lose() const {
    const queue::StepKind last = queue.ladder().steps[queue.ladder().size - 1U].kind;
    return queue.ladder().conflates() ||
           (last != queue::StepKind::kBlock && last != queue::StepKind::kReject);
  }

  /// True while an operator's order holds deliveries back.
  bool is_held(base::MonotonicTime now) const {
    return paused || (rehearsed != nullptr && rehearsed->held_until > now);
  }
  /// To be said of each delivery.
  void note_delivery(base::MonotonicTime now) {
    delivered_at = now;
    if (rehearsed == nullptr) return;
    rehearsed->held_until = now + rehearsed->delay;
    ++rehearsed->deliveries;
  }

  /// Whether shown_name() is `called`, without making it.
  bool is_called(std::string_view called) const;
  /// What a publish may need it by; may be empty.
  const std::string& own_name() const { return group ? group->name : name; }
  /// For receipts and operators; never empty.
  std::string shown_name() const;
};

}  // namespace sluice::shard
