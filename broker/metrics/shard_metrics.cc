#include "broker/metrics/shard_metrics.h"

#include <cstdlib>

namespace sluice::metrics {

void ShardMetrics::balance_ledger() noexcept {
  std::uint64_t accounted = copies_delivered.value() - copies_returned.value() +
                            copies_discarded.value() +
                            static_cast<std::uint64_t>(copies_queued.value()) +
                            static_cast<std::uint64_t>(copies_waiting.value()) +
                            static_cast<std::uint64_t>(copies_spilled.value());
  for (std::size_t reason = 0; reason < copies_dropped.size(); ++reason) {
    accounted += copies_dropped[reason].value();
  }
  // Without its sign, so that the errors of two shards cannot cancel out when they are summed.
  const auto difference = static_cast<std::int64_t>(copies_matched.value() - accounted);
  ledger_imbalance.set(std::abs(difference));
}

}  // namespace sluice::metrics
