// plan.h: what happens in a run, step by step?
//
// All of it follows from the seed. A step has a number of its own, from which it draws what it
// needs when it is taken: another step left out changes nothing of it, so that a plan that fails
// can be made shorter and still fail.
//
// Owner:    values.
// Thread:   the test's.
// Units:    in the names.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/shard/options.h"

namespace sluice::sim {

enum class Act : std::uint8_t {
  kConnect,
  kPublish,      // by name
  kPublishOpen,  // to a topic opened before; opens it otherwise
  kSubscribe,
  kJoin,  // a shared subscription
  kUnsubscribe,
  kCredit,
  kRoom,      // what a client's socket takes
  kSilence,   // what a client says is on its way for a while
  kStall,     // a shard does not run for a while
  kLateMail,  // a shard does not see its mail for a while
  kCancel,
  kHalfClose,
  kReset,
  kTurn,
  kPass,    // time passes
  kSettle,  // turns, as far as the network lets them, until nothing is left to do
  kDrain,
};
inline constexpr std::size_t kActs = 18;
std::string_view name_of(Act act);

struct Step {
  Act act = Act::kTurn;
  std::uint64_t number = 0;  // everything else that it is
};

/// What kind of run it is: some rules can be checked exactly only where others do not interfere.
struct Profile {
  std::uint16_t shards = 1;
  shard::Options options{};
  bool faults = true;        // the network stalls, cuts and delays
  bool leaving = true;       // clients go before the end
  bool all_receipts = true;  // every publish asks for one
  bool compression = false;
  bool needs = false;
  bool deadlines = false;
  bool cancels = false;
  bool lags = false;
  bool shared = false;
  bool drains = false;
  std::uint64_t memory_budget = 0;  // 0: none
  bool slow_spill = false;          // the spill store is late and refuses, and loses with faults
  bool limits = false;              // rates, until the run comes to rest
  std::size_t payload_bytes = 60;   // fewer than that
  std::vector<std::string> ladders{};
};

struct Plan {
  std::uint64_t seed = 0;
  Profile profile{};
  std::vector<Step> steps{};
};

Plan make_plan(std::uint64_t seed);

/// For people: the profile in a line.
std::string describe(const Profile& profile);

}  // namespace sluice::sim
