// bench_result.h: what `sluice bench` was asked and what it measured, and how that is printed.
//
// Thread:   values; any thread.
// Units:    in the names; latencies in nanoseconds.
// Tests:    tests/unit/cli/bench_result_test.cc

#pragma once

#include <sluice/publisher.h>
#include <string>
#include <string_view>

#include "cli/histogram.h"

namespace sluice::cli {

enum class BenchMode : std::uint8_t { kPairs, kFanOut, kFanIn };

struct BenchOptions {
  BenchMode mode = BenchMode::kPairs;
  std::uint64_t publishers = 0;   ///< 0: as the mode has it
  std::uint64_t subscribers = 0;  ///< the same
  std::uint64_t size_bytes = 128;
  Duration duration = std::chrono::seconds(5);
  std::uint64_t rate = 0;  ///< messages/s of all publishers together; 0: as fast as it goes
  std::string overflow = "block";
};

struct BenchResult {
  PublishTotals published;
  std::uint64_t offered = 0;  ///< messages that were due, with a rate
  Duration publishing{0};
  std::uint64_t delivered = 0;
  std::uint64_t delivered_bytes = 0;
  Duration delivering{0};
  std::uint64_t gaps = 0;
  std::uint64_t missing = 0;
  Histogram latency;
};

/// Fills in what the mode says about publishers and subscribers. Returns what is wrong, or nothing.
std::string complete(BenchOptions& options);

std::string_view bench_mode_name(BenchMode mode) noexcept;

std::string bench_text(const BenchOptions& options, const BenchResult& result);
std::string bench_json(const BenchOptions& options, const BenchResult& result);

}  // namespace sluice::cli
