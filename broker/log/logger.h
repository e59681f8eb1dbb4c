// logger.h: how does the daemon say what happened?
//
//   logger.info("connection closed", {{"session", id}, {"reason", "peer"}, {"open_for", age}});
//
//   time=2026-11-25T01:08:00.123Z level=info event="connection closed" session=12 reason=peer …
//   {"time":"2026-11-25T01:08:00.123Z","level":"info","event":"connection closed","session":12,…}
//
// One line per event: changes of state, never single messages. An event is told apart by its name
// and level; beyond `burst` of one in a `window` the rest are counted, and one line "suppressed"
// says how many, so that a storm of one kind neither fills the disk nor hides the other kinds.
//
// Owner:    the daemon; borrows the Clock.
// Thread:   any; a lock is held while a line is written, so nothing logs on the hot path.
// Limits:   Options; a value is cut after 1024 bytes; 256 kinds of events are limited one by one,
//           all further ones together.
// Tests:    tests/unit/broker/log/logger_test.cc

#pragma once

#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "libs/base/clock.h"

namespace sluice::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError };
enum class Format : std::uint8_t { kText, kJson };

/// "debug", "info", "warn", "error"; as log.level has them.
std::string_view level_name(Level level) noexcept;
std::optional<Level> parse_level(std::string_view name) noexcept;
/// "text", "json"; as log.format has them.
std::optional<Format> parse_format(std::string_view name) noexcept;

using Value =
    std::variant<std::string_view, bool, std::int64_t, std::uint64_t, double, base::Duration>;

/// Numbers, truth values, texts, durations and strong ids become fields by themselves.
template <typename T>
constexpr Value to_value(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value;
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<double>(value);
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<std::uint64_t>(value);
  } else if constexpr (std::is_convertible_v<T, std::string_view>) {
    return std::string_view(value);
  } else if constexpr (std::is_convertible_v<T, base::Duration>) {
    return base::Duration(value);
  } else {
    return to_value(value.value());
  }
}

/// Borrows key and text for the length of the call.
struct Field {
  std::string_view key;
  Value value;

  template <typename T>
  Field(std::string_view key_, const T& value_) : key(key_), value(to_value(value_)) {}
};

using Fields = std::initializer_list<Field>;

struct Options {
  Level level = Level::kInfo;
  Format format = Format::kText;
  std::uint32_t burst = 10;
  base::Duration window = std::chrono::seconds(10);
  std::ostream* output = nullptr;  ///< null: standard error
};

class Logger {
 public:
  Logger(const base::Clock& clock, const Options& options);
  /// Says what is still suppressed.
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  /// `event` names the kind of event: a few fixed words; what varies goes into the fields.
  void debug(std::string_view event, Fields fields = {}) { write(Level::kDebug, event, fields); }
  void info(std::string_view event, Fields fields = {}) { write(Level::kInfo, event, fields); }
  void warn(std::string_view event, Fields fields = {}) { write(Level::kWarn, event, fields); }
  void error(std::string_view event, Fields fields = {}) { write(Level::kError, event, fields); }
  void write(Level level, std::string_view event, Fields fields);

  bool enabled(Level level) const noexcept;
  void set_level(Level level) noexcept;

  /// Writes the "suppressed" lines of windows that are over. For housekeeping, about once a second;
  /// without it such a line comes with the next event of the same kind.
  void on_time();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::log
