// setting.h: the settings one by one, for everything that treats them alike.
//
// bind() makes a list of all lines of settings.def whose fields point into one Settings. Values
// come as TOML has them (a Given) or as text from environment and flags; both are checked against
// kind, words and bounds of their line here and nowhere else.
//
// Owner:    a Setting borrows the Settings it was bound to.
// Thread:   values; the thread that loads the configuration.
// Errors:   kBadConfiguration; the detail says what is wrong and what would be right.
// Tests:    tests/unit/broker/config/setting_test.cc

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/config/settings.h"
#include "libs/base/result.h"

namespace sluice::config {

enum class Kind : std::uint8_t { kText, kFlag, kCount, kSize, kDuration, kChoice, kList };

/// Where the value is kept. Count and Size share one type, and so do Text and Choice.
using Field = std::variant<std::string*, bool*, std::uint64_t*, Duration*, List*>;

/// A value as TOML has it; monostate is one of a type that no setting has.
using Given =
    std::variant<std::monostate, std::string, bool, std::int64_t, std::vector<std::string>>;

/// One line of settings.def.
struct Setting {
  std::string_view table;
  std::string_view key;
  Kind kind;
  std::string_view unit;
  std::uint64_t min;  ///< of Durations in ns
  std::uint64_t max;
  bool live;
  std::string_view text;
  Field field;

  std::string name() const { return std::string(table) + "." + std::string(key); }
  /// "SLUICE_NODE_SHARDS"
  std::string variable() const;
};

/// All settings in the order of settings.def, with fields in `settings`, which must outlive them.
std::vector<Setting> bind(Settings& settings);

/// Checks and stores a value. On failure the field is as it was.
base::Status assign(const Setting& setting, const Given& given);

/// The same for text; entries of a List are separated by commas.
base::Status assign_text(const Setting& setting, std::string_view text);

/// The value as it would stand in broker.toml: quoted where TOML wants quotes.
std::string format_value(const Setting& setting);

}  // namespace sluice::config
