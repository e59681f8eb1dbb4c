// shard_metrics.h: what has this shard done, and what does it hold?
//
// One member per line of metrics.def:
//
//   m.received_bytes.add(n);  m.connections.sub();  m.queued_bytes.set(n);
//   m.publishes[wire::ReceiptStatus::kAccepted].add();
//   m.copies_dropped[wire::GapReason::kLagged].add(count);
//   m.connections_closed[CloseReason::kPeer].add();
//   m.protocol_errors[ErrorCode::kBadFrame].add();
//   m.queue_time.observe(now - queued_at, messages);
//
// Owner:    the daemon makes one per shard and keeps it longer than shard and HTTP endpoint.
// Thread:   written by the owner shard only; read by any thread.
// Units:    metrics.def; the unit stands last in each exported name.
// Limits:   a fixed number of series, whatever clients do.
// Tests:    tests/unit/broker/metrics/shard_metrics_test.cc

#pragma once

#include <cstdint>

#include "broker/metrics/metric.h"

namespace sluice::metrics {

/// Positions of the words of connections_refused.
enum class RefuseReason : std::uint8_t { kLimit, kDraining, kDescriptors, kMemory };

/// Positions of the words of memory_used.
enum class MemoryPart : std::uint8_t {
  kProcess,        ///< code, threads, tables at their first size
  kBatches,        ///< blocks of bytes: received, waiting, unsent; idle ones as well
  kQueues,         ///< bookkeeping of queues
  kSubscriptions,  ///< subscriptions but for their queues and filters
  kConnections,    ///< connections and what they have open
  kTopics,         ///< topics, filters and who gets what
  kMailboxes,      ///< letters, and publishes that wait or are on their way between shards
  kHistory,        ///< what is remembered of subscriptions that ended, drops and ledgers
};

/// Positions of the words of connections_closed.
enum class CloseReason : std::uint8_t {
  kPeer,              ///< the client closed it
  kNetwork,           ///< reset, timed out, broken pipe
  kProtocol,          ///< an error of class close was answered
  kHandshakeTimeout,  ///< no HELLO in time
  kSlowConsumer,      ///< a ladder said disconnect
  kDrain,             ///< the daemon stopped
  kLimit,             ///< a limit was exceeded after it had been accepted
  kInternal,          ///< our own fault, or the system's
};

/// Aligned so that two shards never write to one cache line.
struct alignas(64) ShardMetrics {
  ShardMetrics() = default;
  ShardMetrics(const ShardMetrics&) = delete;
  ShardMetrics& operator=(const ShardMetrics&) = delete;

#define COUNTER(member, name, text) Counter member;
#define COUNTER_BY(member, name, label, words, text) CounterBy<count_words(words)> member;
#define SECONDS_BY(member, name, labels, words, text) CounterBy<count_words(words)> member;
#define GAUGE_BY(member, name, labels, words, text) GaugeBy<count_words(words)> member;
#define COUNTER_BY_ERROR(member, name, label, text) CounterByError member;
#define GAUGE(member, name, text) Gauge member;
#define HISTOGRAM(member, name, text) Histogram member;
#define NODE_GAUGE(member, name, text)
#define NODE_COUNTER(member, name, text)
#define LIMIT_COUNTER(member, name, text)
#include "broker/metrics/metrics.def"
#undef COUNTER
#undef COUNTER_BY
#undef SECONDS_BY
#undef GAUGE_BY
#undef COUNTER_BY_ERROR
#undef GAUGE
#undef HISTOGRAM
#undef NODE_GAUGE
#undef NODE_COUNTER
#undef LIMIT_COUNTER

  /// Sets ledger_imbalance from this shard's own counters of copies. The owner shard calls it when
  /// they belong together, at the end of a turn: a scrape cannot, since it reads them one by one.
  void balance_ledger() noexcept;
};

}  // namespace sluice::metrics
