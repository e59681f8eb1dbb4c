#include "libs/base/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

namespace sluice::base {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t kKilo = 1000;
constexpr std::uint64_t kKibi = 1024;
constexpr std::array kSizeUnits = {
    Unit{"TiB", kKibi * kKibi * kKibi * kKibi}, Unit{"GiB", kKibi * kKibi * kKibi},
    Unit{"MiB", kKibi* kKibi},                  Unit{"KiB", kKibi},
    Unit{"TB", kKilo * kKilo * kKilo * kKilo},  Unit{"GB", kKilo * kKilo * kKilo},
    Unit{"MB", kKilo* kKilo},                   Unit{"kB", kKilo},
    Unit{"KB", kKilo},                          Unit{"B", 1},
};
constexpr std::array kDurationUnits = {
    Unit{"d", 86'400'000'000'000}, Unit{"h", 3'600'000'000'000}, Unit{"m", 60'000'000'000},
    Unit{"s", 1'000'000'000},      Unit{"ms", 1'000'000},        Unit{"us", 1'000},
    Unit{"ns", 1},
};
constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

tl::unexpected<Error> bad(std::string_view text, std::string_view what) {
  return fail(ErrorCode::kBadArgument, "\"" + std::string(text) + "\" " + std::string(what));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads the number at the front of `rest` and its unit, and takes both off. Fractions are exact:
// digits after the point are scaled by the unit, and what is left over must be nothing.
template <std::size_t N>
Result<std::uint64_t> take_quantity(std::string_view& rest, const std::array<Unit, N>& units,
                                    std::string_view expected) {
  const std::string_view text = rest;
  std::uint64_t whole = 0;
  const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), whole);
  if (error == std::errc::result_out_of_range) return bad(text, "is too large");
  if (error != std::errc{}) return bad(text, expected);
  rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));

  std::string_view digits;
  if (!rest.empty() && rest.front() == '.') {
    const auto end = std::find_if_not(rest.begin() + 1, rest.end(), is_digit);
    digits = rest.substr(1, static_cast<std::size_t>(end - rest.begin() - 1));
    if (digits.empty() || digits.size() > 9) return bad(text, expected);
    rest.remove_prefix(digits.size() + 1);
  }
  const auto unit_end = std::find_if(rest.begin(), rest.end(), is_digit);
  const auto name = rest.substr(0, static_cast<std::size_t>(unit_end - rest.begin()));
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [name](const Unit& candidate) { return candidate.name == name; });
  if (unit == units.end()) return bad(text, expected);
  rest.remove_prefix(name.size());

  if (whole > kMax / unit->factor) return bad(text, "is too large");
  std::uint64_t value = whole * unit->factor;
  std::uint64_t place = unit->factor;
  for (const char c : digits) {
    if (place % 10 != 0 && c != '0') {
      // 1024-based units do not divide by ten; such a fraction is exact only by luck.
      const double fraction = std::stod("0." + std::string(digits));
      const double exact = fraction * static_cast<double>(unit->factor);
      if (exact != std::floor(exact)) return bad(text, "is not a whole number of units");
      return whole * unit->factor + static_cast<std::uint64_t>(exact);
    }
    place /= 10;
    value += place * static_cast<std::uint64_t>(c - '0');
  }
  if (value > kMax) return bad(text, "is too large");
  return value;
}

std::string with_unit(double value, const char* unit) {
  std::array<char, 48> out{};
  const int digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  std::snprintf(out.data(), out.size(), "%.*f %s", digits, value, unit);
  return out.data();
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view kExpected = "is not a size; write for example 4096, 64KiB or 1.5GB";
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_digit)) {
    std::uint64_t bytes = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
    if (error != std::errc{} || bytes > kMax) return bad(text, "is too large");
    return bytes;
  }
  std::string_view rest = text;
  auto value = take_quantity(rest, kSizeUnits, kExpected);
  if (!value) return bad(text, value.error().detail.ends_with("too large") ? "is too large"
                                                                         : kExpected);
  if (!rest.empty()) return bad(text, kExpected);
  return value;
}

Result<Duration> parse_duration(std::string_view text) {
  constexpr std::string_view kExpected = "is not a duration; write for example 250ms, 5s or 1m30s";
  if (text == "0") return Duration(0);
  if (text.empty()) return bad(text, kExpected);
  std::uint64_t total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    auto value = take_quantity(rest, kDurationUnits, kExpected);
    if (!value) return bad(text, value.error().detail.ends_with("too large") ? "is too large"
                                                                           : kExpected);
    if (*value > kMax - total) return bad(text, "is too large");
    total += *value;
  }
  return Duration(static_cast<std::int64_t>(total));
}

std::string format_size(std::uint64_t bytes) {
  for (const Unit& unit : kSizeUnits) {
    const bool binary = unit.name.size() == 3;
    if (binary && bytes != 0 && bytes % unit.factor == 0) {
      return std::to_string(bytes / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(bytes) + "B";
}

std::string format_duration(Duration duration) {
  auto rest = static_cast<std::uint64_t>(duration.count());
  if (rest == 0) return "0s";
  std::string out;
  for (const Unit& unit : kDurationUnits) {
    const std::uint64_t count = rest / unit.factor;
    if (count == 0) continue;
    out += std::to_string(count) + std::string(unit.name);
    rest %= unit.factor;
  }
  return out;
}

std::string human_size(double bytes) {
  constexpr std::array kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t i = 0;
  while (bytes >= 1024 && i + 1 < kNames.size()) {
    bytes /= 1024;
    ++i;
  }
  if (i == 0) return std::to_string(static_cast<std::uint64_t>(bytes)) + " B";
  return with_unit(bytes, kNames[i]);
}

std::string human_duration(Duration duration) {
  const auto ns = static_cast<double>(duration.count());
  if (ns < 1e3) return std::to_string(duration.count()) + " ns";
  if (ns < 1e6) return with_unit(ns / 1e3, "us");
  if (ns < 1e9) return with_unit(ns / 1e6, "ms");
  return with_unit(ns / 1e9, "s");
}

}  // namespace sluice::base
