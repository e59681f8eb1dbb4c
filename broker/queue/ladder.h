// ladder.h: what does a full queue do, step by step?
//
//   "block:50ms,drop_oldest"
//
// Steps are tried in order until one settles the matter. conflate (by topic, or conflate:key by
// topic and key) keeps only the newest message of each, stands first, and hands over to block,
// drop_oldest or drop_newest what it found no room for. block may give up after its time and hand
// over to the next; drop_oldest, drop_newest, reject and disconnect always settle it and therefore
// come last, and only last. spill is named by the design and takes its place here when its part
// stands; until then it is refused by name.
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
  kDropOldest,
  kDropNewest,
  kReject,
  kDisconnect,
  kConflate
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

  bool conflates() const noexcept { return size > 0 && steps[0].kind == StepKind::kConflate; }
  /// The first step besides conflate, and the one behind it. Requires: there is one.
  const Step& first() const noexcept { return steps[conflates() ? 1 : 0]; }
  const Step& second() const noexcept { return steps[conflates() ? 2 : 1]; }
  /// True when the first step is reject: room is checked before any queue takes the publish.
  bool rejects_first() const noexcept { return size > 0 && steps[0].kind == StepKind::kReject; }
};

/// Reads and checks the text form; `block` without a time must be the only step, or the only one
/// behind conflate.
base::Result<Ladder> parse_ladder(std::string_view text);

/// The text form; parse_ladder reads it back as the same.
std::string format_ladder(const Ladder& ladder);

}  // namespace sluice::queue
