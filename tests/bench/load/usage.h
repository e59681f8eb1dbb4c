// usage.h: how much CPU and memory did a process use?
//
// Thread:   any.
// Units:    seconds, KiB. Read from /proc/PID; all zero when the process is gone. CPU is what the
//           scheduler counted in nanoseconds; /proc/PID/stat only has ticks of 10 ms.
// Tests:    tests/unit/tests/bench/load/usage_test.cc

#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::bench {

struct Usage {
  double cpu_seconds = 0;      // user and system, all threads that live
  std::uint64_t rss_kib = 0;   // now
  std::uint64_t peak_kib = 0;  // at most so far
};

/// pid 0 is this process.
Usage usage_of(int pid);

/// Nanoseconds on a core in the text of a task's schedstat; 0 when it is not one.
std::uint64_t ns_in_schedstat(std::string_view schedstat);

/// KiB after `name` ("VmRSS:") in the text of /proc/PID/status; 0 when it is not there.
std::uint64_t kib_in_status(std::string_view status, std::string_view name);

}  // namespace sluice::bench
