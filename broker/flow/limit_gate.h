// limit_gate.h: may this come in under its limits, and how much of that may go out?
//
// In: a batch is charged to the buckets of all limits that apply, or to none. Those that reject are
// asked first, then those that delay, then those that observe. Out: as much of a slice goes as all
// limits allow now.
//
// Thread:   no state of its own; the shard that owns the AppliedLimits.
// Order:    what pace_front() let go is charged: settle_out() gives back what did not go after all.
// Tests:    tests/unit/broker/flow/limit_gate_test.cc

#pragma once

#include <array>
#include <string>

#include "broker/flow/limit_table.h"
#include "broker/model/slice.h"

namespace sluice::flow {

/// Lists that apply together; null where there is none.
using LimitLists = std::array<const AppliedLimits*, 3>;

/// A batch that asks to come in.
struct Offer {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  base::MonotonicTime now;
  base::MonotonicTime deadline = base::kNever;
};

struct Verdict {
  enum class Kind : std::uint8_t {
    kPass,
    kDelay,    // charged; it may go at `when`
    kReject,   // not charged; worth another try at `when`
    kExpired,  // not charged: the delay until `when` would outlast its deadline
  };
  Kind kind = Kind::kPass;
  base::MonotonicTime when;
  const AppliedLimit* by = nullptr;  // whose; null with kPass. Lives in the list it came from.
};

/// With `delay_only`, what was let in before is charged anew: limits that reject are not asked.
Verdict charge(const LimitLists& lists, const Offer& offer, bool delay_only = false);

/// What a delayed batch was charged with, so that it can be given back when it never comes in.
struct Charged {
  std::vector<AppliedLimit> limits;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;

  void give_back();
};
Charged charged(const LimitLists& lists, const Offer& offer);

/// Which limit, of whom, how much is left: for the receipt of a refusal.
std::string refusal_text(const AppliedLimit& by, const Offer& offer, base::MonotonicTime when);

/// How many of the first `most` messages of a slice may go now, charged to all lists.
struct Pace {
  std::uint32_t messages = 0;
  base::MonotonicTime when;          // none: worth another try
  const AppliedLimit* by = nullptr;  // none: whose limit it is
};
Pace pace_front(const LimitLists& lists, const model::Slice& slice, std::uint32_t most,
                base::MonotonicTime now);

/// What became of it: `let` was let go and charged, `gone` is what went. Counts for all lists; with
/// `waited_for` (a limit's number), what went had to wait for that one.
struct Amount {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};
void settle_out(const LimitLists& lists, const Amount& let, const Amount& gone,
                std::uint32_t waited_for, base::MonotonicTime now);

}  // namespace sluice::flow
