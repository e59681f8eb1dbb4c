// scenario.h: what is one run of the overload benchmark asked to do?
//
// One publisher sends to a topic at a steady rate, whatever comes back. Healthy subscribers read;
// stalled ones stop reading after the warm-up. The window, in which everything is measured, begins
// when the stalled ones' queues have had time to fill. Then, if asked for, the stalled ones read
// slowly for a while. At last the publisher stops, and they read on until nothing more comes.
//
// Thread:   values.
// Units:    in the names.
// Tests:    tests/unit/tests/bench/overload/scenario_test.cc

#pragma once

#include <string>
#include <vector>

#include "libs/base/result.h"
#include "tests/bench/load/work.h"

namespace sluice::bench {

struct Scenario {
  Work work;                // peer, port, payload, rate on each topic, times, queue and ladder
  unsigned healthy = 100;   // subscribers of the first topic that read
  unsigned stalled = 10;    // and that stop reading
  unsigned other = 0;       // Sluice: subscribers of a second topic of the same publisher
  double lead_seconds = 3;  // between the stall and the window
  double slow_seconds = 0;  // after the window, the stalled ones read
  double slow_rate = 1000;  // about so many messages a second, each
  std::uint32_t stalled_receive_bytes = 0;  // of each stalled one's socket; 0: as the kernel likes
};

/// Reads `--name value` pairs: those of Scenario, and Work's.
/// Errors: kBadArgument naming the option.
base::Result<Scenario> parse_scenario(const std::vector<std::string>& arguments);

std::string scenario_usage();

}  // namespace sluice::bench
