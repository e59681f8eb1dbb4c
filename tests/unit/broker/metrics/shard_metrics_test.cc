#include "broker/metrics/shard_metrics.h"

#include <gtest/gtest.h>

namespace sluice::metrics {
namespace {

TEST(ShardMetrics, The_ledger_balances_when_every_copy_is_somewhere) {
  ShardMetrics metrics;
  metrics.copies_matched.add(100);
  metrics.copies_delivered.add(40);
  metrics.copies_discarded.add(10);
  metrics.copies_queued.set(20);
  metrics.copies_waiting.set(5);
  metrics.copies_dropped[std::size_t{1}].add(15);
  metrics.copies_dropped[metrics.copies_dropped.size() - 1].add(10);
  metrics.balance_ledger();
  EXPECT_EQ(metrics.ledger_imbalance.value(), 0);
}

TEST(ShardMetrics, An_imbalance_has_no_sign) {
  ShardMetrics lost;
  lost.copies_matched.add(3);
  lost.balance_ledger();
  EXPECT_EQ(lost.ledger_imbalance.value(), 3);
  ShardMetrics invented;
  invented.copies_delivered.add(3);
  invented.balance_ledger();
  EXPECT_EQ(invented.ledger_imbalance.value(), 3);
}

TEST(ShardMetrics, Enumerators_and_words_agree_in_number) {
  ShardMetrics metrics;
  EXPECT_EQ(metrics.connections_closed.size(), std::size_t{8});
  EXPECT_EQ(static_cast<std::size_t>(CloseReason::kInternal),
            metrics.connections_closed.size() - 1);
  EXPECT_EQ(static_cast<std::size_t>(RefuseReason::kMemory),
            metrics.connections_refused.size() - 1);
}

}  // namespace
}  // namespace sluice::metrics
