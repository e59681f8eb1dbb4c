// ladder.h: what does a full queue do, step by step?
//
//   "block:50ms,drop_oldest"
//
// Steps are tried in order until one settles the matter. block may give up after its time, spill
// may be full, and conflate may find nothing that gives way: they hand over to the next.
// drop_oldest, drop_newest, reject, disconnect and block without a time always settle it and
// therefore come last, and only last. reject as the first step refuses the publish as a whole;
// later it refuses what is left. Either spill or conflate may stand, not both: what is spilled is
// kept as it is, in order, and out of reach.
//
// Thread:   values; any thread.
// Limits:   at most kMaxSteps steps.
// Errors:   kBadLadder, naming the step, what is wrong with it and what may stand there.
// Tests:    tests/unit/broker/queue/ladder_test.cc, tests/fuzz/fuzz_ladder.cc

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/clock.h"
#include "libs/base/result.h"

namespace sluice::queue {

enum class StepKind : std::uint8_t {
  kBlock,
  kSpill,
  kConflate,
  kDropOldest,
  kDropNewest,
  kReject,
  kDisconnect
};

struct Step {
  StepKind kind = StepKind::kDropOldest;
  base::Duration duration{0};  // kBlock: at most this long; 0: without end
  bool by_key = false;         // kConflate: by topic and key, not by topic alone
};

inline constexpr std::size_t kMaxSteps = 4;

struct Ladder {
  std::array<Step, kMaxSteps> steps{};
  std::uint8_t size = 0;
  std::uint64_t spill_bytes = 0;  // that its spill may hold; 0: it does not say

  /// The place of its step of that kind, which stands once; `size` when it has none.
  std::size_t place_of(StepKind kind) const noexcept {
    std::size_t place = 0;
    while (place < size && steps[place].kind != kind) ++place;
    return place;
  }
  /// True when a publish may have to wait.
  bool blocks() const noexcept { return place_of(StepKind::kBlock) < size; }
  bool conflates() const noexcept { return place_of(StepKind::kConflate) < size; }
  bool conflates_by_key() const noexcept {
    const std::size_t place = place_of(StepKind::kConflate);
    return place < size && steps[place].by_key;
  }
  bool conflates_before_block() const noexcept {
    return conflates() && place_of(StepKind::kConflate) < place_of(StepKind::kBlock);
  }
  bool spills() const noexcept { return place_of(StepKind::kSpill) < size; }
  bool spills_before_block() const noexcept {
    return spills() && place_of(StepKind::kSpill) < place_of(StepKind::kBlock);
  }
  /// True when it lets the oldest go, so that the queue can be made smaller from outside.
  bool gives_way() const noexcept {
    return conflates() || (size > 0 && steps[size - 1U].kind == StepKind::kDropOldest);
  }
  /// True when the first step is reject: room is checked before any queue takes the publish.
  bool rejects_first() const noexcept { return size > 0 && steps[0].kind == StepKind::kReject; }
};

/// Reads and checks the text form; `conflate` and `conflate:topic` are the same. `spill` alone
/// leaves its bytes to whoever knows the default.
base::Result<Ladder> parse_ladder(std::string_view text);

/// The text form; parse_ladder reads it back as the same.
std::string format_ladder(const Ladder& ladder);

}  // namespace sluice::queue
