// settings.h: what was the daemon told?
//
// Settings holds one plain value per line of settings.def, nested as the TOML tables are:
//
//   settings.listen.native            std::string     "127.0.0.1:4880"
//   settings.node.memory_budget       std::uint64_t   bytes
//   settings.drain.deadline           base::Duration
//   settings.subscription.overflow    std::vector<std::string>
//
// Settings{} has the defaults. load.h fills one in from file, environment and flags and checks it;
// from then on it is handed around as `const Settings&` and never changes.
//
// Owner:    the daemon; everybody else borrows it for the life of the process.
// Thread:   immutable once loaded; any thread.
// Units:    sizes in bytes, durations in nanoseconds; 0 means what settings.def says of it.
// Limits:   settings.def.
// Tests:    tests/unit/broker/config/settings_test.cc

#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "broker/model/limit_spec.h"
#include "libs/base/clock.h"

namespace sluice::config {

// The kinds of settings.def.
using Text = std::string;
using Flag = bool;
using Count = std::uint64_t;
using Size = std::uint64_t;
using Duration = base::Duration;
using Choice = std::string;

/// A list of words; one word makes a list of one.
struct List : std::vector<std::string> {
  using vector::vector;
  List(const char* word) : vector{word} {}  // NOLINT: a default in settings.def is one literal
};

// The units that settings.def is written in.
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
constexpr Size kib(Size n) { return n << 10; }
constexpr Size mib(Size n) { return n << 20; }
constexpr Size gib(Size n) { return n << 30; }
constexpr Size tib(Size n) { return n << 40; }

struct Settings {
#define TABLE(name, Type, text) struct Type {
#define SETTING(name, kind, unit, default_, min, max, reload, text) kind name = default_;
#define END_TABLE(name) \
  }                     \
  name;
#include "broker/config/settings.def"
#undef TABLE
#undef SETTING
#undef END_TABLE
  std::vector<model::LimitSpec> limit;  // of the [[limit]] tables, in their order
};

}  // namespace sluice::config
