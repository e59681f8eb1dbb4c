// ledger_scope.h: keeps the shard's counters of copies in step with one queue's ledger.
//
// Made before anything that may change a queue, and at its end adds the difference to the metrics
// and what was lost to the log of drops: the one way in which both are counted, so that nothing is
// counted twice or forgotten.
//
// Owner:    the stack; borrows both.
// Thread:   the owner shard only.

#pragma once

#include "broker/shard/core.h"
#include "broker/shard/subscription.h"

namespace sluice::shard {

/// Takes what the queue has lost into the shard's log of drops.
void log_drops(Core& core, Subscription& subscription);

class LedgerScope {
 public:
  LedgerScope(Core& core, Subscription& subscription)
      : core_(core),
        subscription_(subscription),
        before_(subscription.queue.ledger()),
        bytes_(subscription.queue.held_bytes()),
        memory_(subscription.queue.memory_bytes()) {}
  LedgerScope(const LedgerScope&) = delete;
  LedgerScope& operator=(const LedgerScope&) = delete;

  ~LedgerScope() {
    const queue::Ledger after = subscription_.queue.ledger();
    metrics::ShardMetrics& metrics = core_.metrics;
    metrics.copies_matched.add(after.matched - before_.matched);
    // What came back is counted by itself, since a counter must not fall.
    if (after.delivered >= before_.delivered) {
      metrics.copies_delivered.add(after.delivered - before_.delivered);
    } else {
      metrics.copies_returned.add(before_.delivered - after.delivered);
    }
    metrics.copies_discarded.add(after.discarded - before_.discarded);
    move(metrics.copies_queued, before_.queued, after.queued);
    move(metrics.copies_waiting, before_.waiting, after.waiting);
    move(metrics.queued_bytes, bytes_, subscription_.queue.held_bytes());
    if (subscription_.queue.has_losses()) log_drops(core_, subscription_);  // also frees memory
    core_.memory.queues_moved(memory_, subscription_.queue.memory_bytes());
    for (std::size_t i = 0; i < queue::kGapReasons; ++i) {
      const std::uint64_t dropped = after.dropped[i] - before_.dropped[i];
      if (dropped != 0) metrics.copies_dropped[i + 1].add(dropped);
    }
  }

 private:
  static void move(metrics::Gauge& gauge, std::uint64_t from, std::uint64_t to) {
    if (from != to) gauge.add(static_cast<std::int64_t>(to - from));
  }

  Core& core_;
  Subscription& subscription_;
  const queue::Ledger before_;
  const std::uint64_t bytes_;
  const std::uint64_t memory_;
};

}  // namespace sluice::shard
