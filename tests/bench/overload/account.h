// account.h: what came out of one run of the overload benchmark, and how it is printed.
//
// Thread:   values.
// Units:    in the names; the JSON's members have the same ones.
// Tests:    tests/unit/tests/bench/overload/account_test.cc

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/session.h"
#include "tests/bench/load/usage.h"
#include "tests/bench/overload/scenario.h"

namespace sluice::bench {

enum class Group : unsigned { kHealthy, kStalled, kOther };
inline constexpr std::size_t kGroups = 3;
inline constexpr std::array<const char*, kGroups> kGroupNames = {"healthy", "stalled", "other"};
inline constexpr std::size_t kLanes = 2;

/// The topic that a group reads, as a lane of the publisher.
constexpr unsigned lane_of(Group group) noexcept { return group == Group::kOther ? 1 : 0; }

/// What is known at one moment of the run.
struct Moment {
  std::uint64_t at_ns = 0;
  Usage broker;
  Usage generator;
  std::array<std::uint64_t, kLanes> sent{};
  std::array<std::uint64_t, kLanes> unsent{};      // due, and held back by the publisher
  std::array<std::uint64_t, kGroups> delivered{};  // of all readers of a group
};

/// The readers of a group, at the end.
struct GroupAccount {
  unsigned readers = 0;
  Delivered sum;
  std::uint64_t missing = 0;                  // published, neither delivered nor told as lost
  unsigned closed = 0;                        // connections that the broker closed
  std::map<std::string, std::uint64_t> told;  // what the readers of those were told last
  Histogram latency;                          // of messages meant to be sent in the window
};

struct Account {
  Moment stalled;  // when the stalled ones stopped reading
  Moment window_begin;
  Moment window_end;
  Moment slow_begin;  // the second half of the slow phase
  Moment slow_end;
  Moment end;  // after the drain
  std::array<GroupAccount, kGroups> groups;
  std::map<std::string, std::uint64_t> answers;  // what the publisher was told, and how often
  std::string publisher_over;                    // why its connection ended before its time
  bool settled = false;                          // everything was delivered or told
};

/// One JSON object on one line.
std::string to_json(const Scenario& scenario, const Account& account);

}  // namespace sluice::bench
