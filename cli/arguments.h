// arguments.h: options whose values are durations, sizes, needs: read once, refused in words.
//
// Every function adds one option to a verb and stores what is given in `target`, whose value before
// is the default. Targets outlive the parsing. A value that is refused ends parsing with the name
// of the option, the value and what was expected; main prints it.
//
// Thread:   main.
// Tests:    tests/unit/cli/app_test.cc

#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <sluice/publisher.h>
#include <string>
#include <utility>
#include <vector>

#include "cli/message_format.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace sluice::cli {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// More than 0: none at all is said by leaving the option out, and 0 would be taken for that.
CLI::Option* add_duration(CLI::App& verb, const std::string& name, Duration& target,
                          const std::string& text);
/// A duration that may be 0.
CLI::Option* add_pause(CLI::App& verb, const std::string& name, Duration& target,
                       const std::string& text);
/// More than 0, as a duration.
CLI::Option* add_size(CLI::App& verb, const std::string& name, std::uint64_t& target,
                      const std::string& text);
CLI::Option* add_headers(CLI::App& verb, Headers& target);
CLI::Option* add_needs(CLI::App& verb, std::optional<Need>& target);
CLI::Option* add_format(CLI::App& verb, std::optional<MessageFormat>& target,
                        const std::string& text);

/// Which numbers an option takes; `Counts{1}` and 1 are the same.
struct Counts {
  Counts(std::uint64_t least, std::uint64_t most = std::numeric_limits<std::uint64_t>::max())
      : min(least), max(most) {}
  std::uint64_t min;
  std::uint64_t max;
};

/// A whole number.
CLI::Option* add_count(CLI::App& verb, const std::string& name, std::uint64_t& target,
                       Counts allowed, const std::string& text);

/// Any value that `read` understands; `read` stores it and returns what is wrong, or nothing.
CLI::Option* add_value(CLI::App& verb, const std::string& name, const std::string& type,
                       std::function<std::string(const std::string&)> read,
                       const std::string& text);

/// "memory", "os", "disk", "quorum", "all", "responders" or "name:SUBSCRIPTION" into `need`.
/// Returns what is wrong, or nothing.
std::string read_need(const std::string& text, Need& need);

/// "name=value" to the end of `headers`. Returns what is wrong, or nothing.
std::string read_header(const std::string& text, Headers& headers);

}  // namespace sluice::cli
