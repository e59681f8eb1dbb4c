// units.h: sizes and durations as people write them.
//
//   "64MiB" "1.5GB" "4096"        sizes: B, kB/MB/GB/TB by 1000, KiB/MiB/GiB/TiB by 1024
//   "250ms" "1m30s" "0" "2d"      durations: d h m s ms us ns, each at most once, largest first
//
// Fractions must come to a whole number of bytes or nanoseconds. What format_ prints is read back
// as the same value.
//
// Thread:   any.
// Limits:   sizes to 2^63-1 bytes, durations to 2^63-1 ns; more, and negative ones, are refused.
// Errors:   kBadArgument, quoting the text from where reading stopped, and what was expected.
// Tests:    tests/unit/libs/base/units_test.cc

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/clock.h"
#include "libs/base/result.h"

namespace sluice::base {

/// Bytes. A bare number is bytes. Units are written as above, case included; kB may also be KB.
Result<std::uint64_t> parse_size(std::string_view text);

/// A bare "0" is allowed; any other number needs a unit.
Result<Duration> parse_duration(std::string_view text);

/// The shortest exact form: 67108864 is "64MiB", 1500 is "1500B".
std::string format_size(std::uint64_t bytes);

/// The shortest exact form: 90 s is "1m30s", 0 is "0s". A negative one gets a "-" and is for
/// messages only.
std::string format_duration(Duration duration);

/// Rounded for reading: "63.9 MiB", "1.53 GiB". Not read back.
std::string human_size(double bytes);

/// Rounded for reading: "12.3 ms". Not read back.
std::string human_duration(Duration duration);

}  // namespace sluice::base
