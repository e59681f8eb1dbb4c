// queue_state.h: what a BoundedQueue is made of.
//
// Owner:    one BoundedQueue.
// Thread:   the owner's.
// Tests:    those of bounded_queue.h.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "broker/queue/conflation.h"
#include "broker/queue/entry.h"
#include "broker/queue/gap_list.h"
#include "broker/queue/ledger.h"
#include "broker/queue/queue_types.h"
#include "broker/queue/ring.h"
#include "broker/queue/spill.h"

namespace sluice::queue {

/// Of set_ceiling(): none.
inline constexpr std::uint64_t kNoCeiling = UINT64_MAX;

namespace detail {

// What becomes of one push. What is dropped from `first_sequence` on is its own.
struct Tally {
  std::uint64_t first_sequence = 0;
  PushResult& result;
};

// A slice that a block step holds back.
struct Waiting {
  Entry entry;
  model::PublishToken token;
  base::MonotonicTime expiry = base::kNever;
  bool until_deadline = false;  // expiry is the publish's deadline, not the end of the step
  bool reserved = false;        // accepted before: enters in its turn, room or not
};

// What most queues never need.
struct Rare {
  std::array<std::uint64_t, kGapReasons> dropped{};
  std::array<std::uint64_t, kGapReasons> counted{};  // of them, by count_drops()
  std::uint64_t dropped_total = 0;
  std::uint64_t in_flight_messages = 0;
  std::uint64_t in_flight_bytes = 0;
  std::uint64_t ceiling = kNoCeiling;
  base::MonotonicTime sweep_at = base::kNever;  // at most the first grid point with work
  base::MonotonicTime rests_until{base::MonotonicTime::min()};  // no sweep before
  std::uint64_t discarded = 0;
  GapList gaps;
  Ring<Waiting> waiting;
  std::uint64_t waiting_messages = 0;
  base::MonotonicTime expiry_min = base::kNever;  // at most the earliest expiry of waiting
  std::vector<Settled> settled;
  std::vector<Loss> losses;
  std::uint64_t reserved_bytes = 0;  // with bookkeeping
  std::uint32_t reserved_messages = 0;
  std::unique_ptr<Conflation> conflation;  // while the queue conflates
  std::unique_ptr<Spill> spill;            // always, where the ladder spills
  std::uint32_t dead = 0;                  // entries without messages
  bool room_came = false;           // what waits may go on, and on_time() has not been called
  std::uint64_t over_messages = 0;  // put back or reserved, as long as that exceeds the bounds
  std::uint64_t over_bytes = 0;

  bool timed() const noexcept {
    return sweep_at != base::kNever || !waiting.empty() || !settled.empty() ||
           (spill != nullptr && !spill->empty());
  }
  template <typename Visit>
  void count_drops(Visit visit) {
    for (std::size_t i = 0; i < kGapReasons; ++i) {
      const std::uint64_t count = dropped[i] - counted[i];
      if (count == 0) continue;
      counted[i] = dropped[i];
      visit(static_cast<wire::GapReason>(i + 1), count);
    }
  }
};

}  // namespace detail
}  // namespace sluice::queue
