// result.h: what came out of one run, and how it is printed.
//
// Thread:   values.
// Units:    in the names; the JSON's members have the same ones.
// Tests:    tests/unit/tests/bench/load/result_test.cc

#pragma once

#include <cstdint>
#include <string>

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/usage.h"
#include "tests/bench/load/work.h"

namespace sluice::bench {

/// Summed over all connections.
struct Totals {
  std::uint64_t sent = 0;
  std::uint64_t frames = 0;
  std::uint64_t receipts = 0;
  std::uint64_t refused = 0;
  std::uint64_t delivered = 0;
  std::uint64_t gap_frames = 0;
  std::uint64_t gap_messages = 0;
  std::uint64_t misplaced = 0;
};

struct Snapshot {
  std::uint64_t at_ns = 0;
  Totals totals;
  Usage broker;
  Usage generator;
};
/// All of it now; the broker's part only when broker_pid is not 0.
Snapshot snapshot(int broker_pid, const Totals& totals);

struct Outcome {
  Snapshot before;  // the window
  Snapshot after;
  Totals final;                // after the drain
  std::uint64_t expected = 0;  // deliveries owed for everything sent
  bool settled = false;        // all of them came, and all receipts
  Histogram latency;           // of an open loop
};

/// One JSON object on one line.
std::string to_json(const Work& work, const Outcome& outcome);

}  // namespace sluice::bench
