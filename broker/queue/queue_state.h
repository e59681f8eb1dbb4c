// queue_state.h: what a BoundedQueue is made of.
//
// Owner:    one BoundedQueue.
// Thread:   the owner's.
// Tests:    those of bounded_queue.h.

#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "broker/queue/gap_list.h"
#include "broker/queue/ledger.h"
#include "broker/queue/queue_types.h"
#include "broker/queue/ring.h"

namespace sluice::queue {

/// Of set_ceiling(): none.
inline constexpr std::uint64_t kNoCeiling = UINT64_MAX;

namespace detail {

struct Entry {
  model::Slice slice;
  std::uint64_t sequence = 0;
  base::MonotonicTime queued_at;
  base::MonotonicTime deadline = base::kNever;  // of its publish
  base::MonotonicTime expires = base::kNever;   // no message of it expires earlier
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
  std::uint64_t conflate_from = 0;              // the next sequence at which it is worth while
  std::uint64_t discarded = 0;
  GapList gaps;
  Ring<Waiting> waiting;
  std::uint64_t waiting_messages = 0;
  base::MonotonicTime expiry_min = base::kNever;  // at most the earliest expiry of waiting
  std::vector<Settled> settled;
  std::vector<Loss> losses;
  std::uint64_t reserved_bytes = 0;  // with bookkeeping
  std::uint32_t reserved_messages = 0;
  bool room_came = false;           // what waits may go on, and on_time() has not been called
  std::uint64_t over_messages = 0;  // put back or reserved, as long as that exceeds the bounds
  std::uint64_t over_bytes = 0;
};

}  // namespace detail
}  // namespace sluice::queue
