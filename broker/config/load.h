// load.h: which settings are in force, and what is wrong with them?
//
// Defaults, then the file, then the environment, then flags; each value remembers where it came
// from, so that a contradiction between two settings points at a line. All problems are found at
// once, not only the first.
//
// Owner:    the daemon loads once and keeps the Settings.
// Thread:   any; reads only what it is given, and the one file.
// Limits:   settings.def; no address beyond this machine unless listen.allow_unauthenticated.
// Errors:   as Problems; a Loaded with problems must not be used to serve.
// Tests:    tests/unit/broker/config/load_test.cc

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config/flags.h"
#include "broker/config/planner.h"
#include "broker/config/problem.h"
#include "broker/config/settings.h"
#include "libs/base/result.h"

namespace sluice::config {

/// Variables by name.
using Environment = std::map<std::string, std::string>;

/// Those of a process environment that matter here. `environ_` ends with null, as ::environ does.
Environment environment_from(const char* const* environ_);

/// Says whether "block:50ms,drop_oldest" is a ladder. Given by who knows ladders.
using LadderCheck = std::function<base::Status(std::string_view)>;

struct Inputs {
  std::optional<std::string> file;  ///< path of broker.toml
  Environment environment;
  std::vector<FlagValue> flags;
  unsigned cores = 1;        ///< that the process may use
  LadderCheck check_ladder;  ///< null: the steps are not looked into
};

struct Loaded {
  /// node.shards and node.data_dir hold what is in force, never 0 or empty.
  Settings settings;
  Problems problems;
  Plan plan;                              ///< made when there are no other problems
  std::map<std::string, Origin> origins;  ///< by setting's name; of those not left at the default

  bool ok() const noexcept { return problems.empty(); }
  /// All problems, one after another, ready to print.
  std::string problems_text() const;
  /// What --check-config prints: settings that differ from the default, their origin, the plan.
  std::string check_text() const;
};

Loaded load(const Inputs& inputs);

}  // namespace sluice::config
