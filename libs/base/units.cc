#include "libs/base/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

namespace sluice::base {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t kKilo = 1000;
constexpr std::uint64_t kKibi = 1024;
constexpr std::array kSizeUnits = {
    Unit{"TiB", kKibi* kKibi* kKibi* kKibi},
    Unit{"GiB", kKibi* kKibi* kKibi},
    Unit{"MiB", kKibi* kKibi},
    Unit{"KiB", kKibi},
    Unit{"TB", kKilo* kKilo* kKilo* kKilo},
    Unit{"GB", kKilo* kKilo* kKilo},
    Unit{"MB", kKilo* kKilo},
    Unit{"kB", kKilo},
    Unit{"KB", kKilo},
    Unit{"B", 1},
};
constexpr std::array kDurationUnits = {
    Unit{"d", 86'400'000'000'000},
    Unit{"h", 3'600'000'000'000},
    Unit{"m", 60'000'000'000},
    Unit{"s", 1'000'000'000},
    Unit{"ms", 1'000'000},
    Unit{"us", 1'000},
    Unit{"ns", 1},
};
constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

tl::unexpected<Error> bad(std::string_view text, std::string_view what) {
  std::string detail("\"");
  detail.append(text).append("\" ").append(what);
  return fail(ErrorCode::kBadArgument, std::move(detail));
}

constexpr std::string_view kTooLarge = "is too large";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A number as it is written: 1.25 is whole 1, fraction 25, scale 100.
struct Number {
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;
  std::uint64_t scale = 1;
};

constexpr std::size_t kFractionDigitsMax = 9;

// Takes the digits at the front of `rest` off; nothing when there are none or too many.
std::optional<std::uint64_t> take_digits(std::string_view& rest) {
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc{}) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
  return value;
}

Result<Number> take_number(std::string_view& rest, std::string_view expected) {
  const std::string_view text = rest;
  if (rest.empty() || !is_digit(rest.front())) return bad(text, expected);
  Number number;
  const auto whole = take_digits(rest);
  if (!whole) return bad(text, kTooLarge);
  number.whole = *whole;
  if (rest.empty() || rest.front() != '.') return number;

  rest.remove_prefix(1);
  const std::size_t before = rest.size();
  const auto fraction = take_digits(rest);
  const std::size_t digits = before - rest.size();
  if (!fraction || digits > kFractionDigitsMax) return bad(text, expected);
  number.fraction = *fraction;
  for (std::size_t i = 0; i < digits; ++i) number.scale *= 10;
  return number;
}

// number * factor, when that is whole and not too large.
Result<std::uint64_t> scaled(const Number& number, std::uint64_t factor, std::string_view text) {
  __extension__ using Wide = unsigned __int128;
  const Wide part = static_cast<Wide>(number.fraction) * factor;
  if (part % number.scale != 0) return bad(text, "is not a whole number of the smallest unit");
  const Wide value = static_cast<Wide>(number.whole) * factor + part / number.scale;
  if (value > kMax) return bad(text, kTooLarge);
  return static_cast<std::uint64_t>(value);
}

// Takes one number with its unit off the front of `rest`. The unit is one of those from `first`
// on; `first` then stands behind it.
template <std::size_t N>
Result<std::uint64_t> take_quantity(std::string_view& rest, const std::array<Unit, N>& units,
                                    std::size_t& first, std::string_view expected) {
  const std::string_view text = rest;
  const auto number = take_number(rest, expected);
  if (!number) return fail(number.error());
  const auto unit_end = std::find_if(rest.begin(), rest.end(), is_digit);
  const auto name = rest.substr(0, static_cast<std::size_t>(unit_end - rest.begin()));
  const auto from = units.begin() + static_cast<std::ptrdiff_t>(first);
  const auto unit = std::find_if(from, units.end(),
                                 [name](const Unit& candidate) { return candidate.name == name; });
  if (unit == units.end()) return bad(text, expected);
  rest.remove_prefix(name.size());
  first = static_cast<std::size_t>(unit - units.begin()) + 1;
  return scaled(*number, unit->factor, text);
}

// Without the sign; also right for the smallest of all.
std::uint64_t magnitude(Duration duration) {
  const auto count = static_cast<std::uint64_t>(duration.count());
  return duration < Duration(0) ? 0 - count : count;
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
  std::string_view rest = text;
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_digit)) {
    const auto bytes = take_digits(rest);
    if (!bytes || *bytes > kMax) return bad(text, kTooLarge);
    return *bytes;
  }
  std::size_t first_unit = 0;
  auto value = take_quantity(rest, kSizeUnits, first_unit, kExpected);
  if (value && !rest.empty()) return bad(text, kExpected);
  return value;
}

Result<Duration> parse_duration(std::string_view text) {
  constexpr std::string_view kExpected =
      "is not a duration; write for example 250ms, 5s or 1m30s, the largest unit first";
  if (text == "0") return Duration(0);
  if (text.empty()) return bad(text, kExpected);
  std::uint64_t total = 0;
  std::size_t first_unit = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto value = take_quantity(rest, kDurationUnits, first_unit, kExpected);
    if (!value) return fail(value.error());
    if (*value > kMax - total) return bad(text, kTooLarge);
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
  if (duration == Duration(0)) return "0s";
  std::string out = duration < Duration(0) ? "-" : "";
  std::uint64_t rest = magnitude(duration);
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
  // 1023.5 would be printed as 1024 of the smaller unit.
  while (bytes >= 1023.5 && i + 1 < kNames.size()) {
    bytes /= 1024;
    ++i;
  }
  if (i == 0) return std::to_string(std::llround(bytes)) + " B";
  return with_unit(bytes, kNames[i]);
}

std::string human_duration(Duration duration) {
  constexpr std::array kNames = {"ns", "us", "ms", "s"};
  const std::string sign = duration < Duration(0) ? "-" : "";
  const std::uint64_t ns = magnitude(duration);
  if (ns < 1000) return sign + std::to_string(ns) + " ns";
  auto value = static_cast<double>(ns);
  std::size_t i = 0;
  while (value >= 999.5 && i + 1 < kNames.size()) {
    value /= 1000;
    ++i;
  }
  return sign + with_unit(value, kNames[i]);
}

}  // namespace sluice::base
