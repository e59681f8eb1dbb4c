// ledger_scope.h: keeps the shard's counters of copies in step with one queue's ledger.
//
// Made before anything that may change a queue, and at its end adds the difference to the metrics:
// the one way in which copies are counted, so that none is counted twice or forgotten.
//
// Owner:    the stack; borrows both.
// Thread:   the owner shard only.

#pragma once

#include "broker/metrics/shard_metrics.h"
#include "broker/queue/bounded_queue.h"

namespace sluice::shard {

class LedgerScope {
 public:
  LedgerScope(metrics::ShardMetrics& metrics, const queue::BoundedQueue& queue)
      : metrics_(metrics),
        queue_(queue),
        before_(queue.ledger()),
        bytes_(queue.held_bytes()),
        memory_(queue.memory_bytes()) {}
  LedgerScope(const LedgerScope&) = delete;
  LedgerScope& operator=(const LedgerScope&) = delete;

  ~LedgerScope() {
    const queue::Ledger after = queue_.ledger();
    metrics_.copies_matched.add(after.matched - before_.matched);
    // What came back is counted by itself, since a counter must not fall.
    if (after.delivered >= before_.delivered) {
      metrics_.copies_delivered.add(after.delivered - before_.delivered);
    } else {
      metrics_.copies_returned.add(before_.delivered - after.delivered);
    }
    metrics_.copies_discarded.add(after.discarded - before_.discarded);
    move(metrics_.copies_queued, before_.queued, after.queued);
    move(metrics_.copies_waiting, before_.waiting, after.waiting);
    move(metrics_.queued_bytes, bytes_, queue_.held_bytes());
    move(metrics_.memory_used[metrics::MemoryPart::kQueues], memory_, queue_.memory_bytes());
    for (std::size_t i = 0; i < queue::kGapReasons; ++i) {
      const std::uint64_t dropped = after.dropped[i] - before_.dropped[i];
      if (dropped != 0) metrics_.copies_dropped[i + 1].add(dropped);
    }
  }

 private:
  static void move(metrics::Gauge& gauge, std::uint64_t from, std::uint64_t to) {
    if (from != to) gauge.add(static_cast<std::int64_t>(to - from));
  }

  metrics::ShardMetrics& metrics_;
  const queue::BoundedQueue& queue_;
  const queue::Ledger before_;
  const std::uint64_t bytes_;
  const std::uint64_t memory_;
};

}  // namespace sluice::shard
