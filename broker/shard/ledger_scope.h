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
        before_(subscription.queue.totals()),
        memory_(subscription.queue.memory_bytes()) {}
  LedgerScope(const LedgerScope&) = delete;
  LedgerScope& operator=(const LedgerScope&) = delete;

  ~LedgerScope() {
    const queue::Totals after = subscription_.queue.totals();
    metrics::ShardMetrics& metrics = core_.metrics;
    add(metrics.copies_matched, before_.matched, after.matched);
    // What came back or was never sent is counted by itself, since a counter must not fall.
    if (after.handed >= before_.handed) {
      add(metrics.copies_delivered, before_.handed, after.handed);
    } else {
      metrics.copies_returned.add(before_.handed - after.handed);
    }
    move(metrics.copies_queued, before_.queued, after.queued);
    move(metrics.queued_bytes, before_.held_bytes, after.held_bytes);
    move(metrics.copies_in_flight, before_.in_flight, after.in_flight);
    move(metrics.copies_waiting, before_.waiting, after.waiting);
    move(metrics.copies_spilled, before_.spilled, after.spilled);
    move(metrics.spilled_bytes, before_.spilled_bytes, after.spilled_bytes);
    add(metrics.copies_discarded, before_.discarded, after.discarded);
    if (after.dropped != before_.dropped) {
      subscription_.queue.count_drops([&metrics](wire::GapReason reason, std::uint64_t count) {
        metrics.copies_dropped[reason].add(count);
      });
    }
    if (subscription_.queue.has_losses()) log_drops(core_, subscription_);  // also frees memory
    core_.memory.queues_moved(memory_, subscription_.queue.memory_bytes());
  }

 private:
  static void add(metrics::Counter& counter, std::uint64_t from, std::uint64_t to) {
    if (from != to) counter.add(to - from);
  }
  static void move(metrics::Gauge& gauge, std::uint64_t from, std::uint64_t to) {
    if (from != to) gauge.add(static_cast<std::int64_t>(to - from));
  }

  Core& core_;
  Subscription& subscription_;
  const queue::Totals before_;
  const std::uint64_t memory_;
};

}  // namespace sluice::shard
