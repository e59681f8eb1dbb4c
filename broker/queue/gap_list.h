// gap_list.h: which holes does the consumer still have to be told of?
//
// A hole is what was lost between two messages that are still there. It holds at most one gap per
// reason; its place is the lowest sequence lost in it. Holes with nothing left between them become
// one. The counts of a gap are exact; its range is a hull and may overlap those of other reasons.
//
// Owner:    one BoundedQueue, which knows what is between two holes.
// Thread:   the owner's.
// Limits:   kGapReasons gaps per hole; one hole more than there are messages.
// Tests:    tests/unit/broker/queue/gap_list_test.cc, bounded_queue_model_test.cc

#pragma once

#include <cstdint>
#include <optional>

#include "broker/queue/ring.h"
#include "libs/wire/frames.h"

namespace sluice::queue {

struct Gap {
  wire::GapReason reason = wire::GapReason::kDroppedOldest;
  std::uint64_t first = 0;  // sequences
  std::uint64_t last = 0;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

class GapList {
 public:
  bool empty() const noexcept { return records_.empty(); }
  /// Place of the first hole. Requires: not empty.
  std::uint64_t first_place() const noexcept { return records_.front().hole; }
  /// Places of the holes next to `sequence`; neither is at it.
  std::optional<std::uint64_t> place_before(std::uint64_t sequence) const noexcept;
  std::optional<std::uint64_t> place_after(std::uint64_t sequence) const noexcept;

  /// Adds a loss, which becomes part of the hole before, of the one after, of both, or its own.
  /// Requires: place_before(), place_after() of lost.first exist where they are joined.
  void add(const Gap& lost, bool joins_before, bool joins_after);

  struct Taken {
    Gap gap;
    std::uint64_t rest = 0;  // place of what is left of its hole, or 0
  };
  /// The next gap to tell: of the first hole, by reason. Requires: not empty. What is left of the
  /// hole may stand further back, where only the caller knows if anything is between it and others.
  Taken pop_front();
  /// Makes the hole and the next one. Requires: both exist.
  void join_next(std::uint64_t hole);

  void clear() noexcept { records_.clear(); }
  void shrink() { records_.shrink(); }
  std::size_t memory_bytes() const noexcept { return records_.memory_bytes(); }
  /// Messages lost and not yet told.
  std::uint64_t untold() const noexcept;
  void check_invariants() const;

 private:
  // Records of one hole stand together, by reason; holes stand by place.
  struct Record {
    std::uint64_t hole = 0;
    Gap gap;
  };

  std::uint32_t first_after(std::uint64_t sequence) const noexcept;
  void add_to(std::uint64_t hole, const Gap& gap);

  Ring<Record> records_;
};

}  // namespace sluice::queue
