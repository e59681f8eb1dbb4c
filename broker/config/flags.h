// flags.h: what did the command line of sluiced say?
//
// The flags are few and stable. Both "--shards 4" and "--shards=4" are understood; the last of
// several wins. Flags that name a setting override the environment, which overrides the file.
//
// Thread:   any.
// Errors:   kBadArgument; the daemon prints the detail and exits with ExitCode::kUsage.
// Tests:    tests/unit/broker/config/flags_test.cc

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.h"

namespace sluice::config {

/// A setting that a flag gives a value.
struct FlagValue {
  std::string setting;  ///< "node.shards"
  std::string flag;     ///< "--shards", for error messages
  std::string text;
};

struct Flags {
  std::optional<std::string> config;  ///< path of the file
  std::vector<FlagValue> values;
  bool check_config = false;
  bool version = false;
  bool help = false;
};

/// `arguments` without the program's own name.
base::Result<Flags> parse_flags(const std::vector<std::string>& arguments);

/// The text of --help.
std::string flags_help();

}  // namespace sluice::config
