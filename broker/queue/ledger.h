// ledger.h: where is every message that this subscription matched?
//
// The law: matched = delivered + queued + in_flight + waiting + spilled + discarded + sum of
// dropped. check_invariants() of the queue holds it after every step; imbalance() is the metric
// that must be 0.
//
// Owner:    one BoundedQueue.
// Thread:   the owner shard.
// Units:    messages.
// Tests:    tests/unit/broker/queue/bounded_queue_test.cc

#pragma once

#include <array>
#include <cstdint>
#include <numeric>

#include "libs/wire/frames.h"

namespace sluice::queue {

using wire::kGapReasons;

/// 0-based place of a reason in arrays.
constexpr std::size_t index_of(wire::GapReason reason) {
  return static_cast<std::size_t>(reason) - 1;
}

struct Ledger {
  std::uint64_t matched = 0;    // every message that a filter of it matched
  std::uint64_t delivered = 0;  // taken by the consumer's socket, or handed to it and not held
  std::uint64_t queued = 0;     // in the queue now
  std::uint64_t in_flight = 0;  // on its way to the consumer, not yet taken by its socket
  std::uint64_t waiting = 0;    // held back by `block` now
  std::uint64_t spilled = 0;    // in the spill store now
  std::uint64_t discarded = 0;  // were held when it ended, or in flight when a consumer was lost
  std::array<std::uint64_t, kGapReasons> dropped{};  // by reason, each told in a gap

  std::uint64_t dropped_total() const noexcept {
    return std::accumulate(dropped.begin(), dropped.end(), std::uint64_t{0});
  }
  /// 0 when the law holds.
  std::int64_t imbalance() const noexcept {
    return static_cast<std::int64_t>(matched) -
           static_cast<std::int64_t>(delivered + queued + in_flight + waiting + spilled +
                                     discarded + dropped_total());
  }
};

}  // namespace sluice::queue
