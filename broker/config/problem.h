// problem.h: what is wrong with the configuration, and where?
//
//   broker.toml:7:1: unknown key "shard" in [node]; did you mean "shards"?
//     7 | shard = 4
//       | ^~~~~
//
// Thread:   values; any thread.
// Tests:    tests/unit/broker/config/load_test.cc

#pragma once

#include <string>
#include <vector>

namespace sluice::config {

/// A place where something was said: a line of a file, a variable, a flag, or nowhere (a default).
struct Origin {
  std::string where;  ///< "broker.toml:7:1", "environment variable SLUICE_NODE_SHARDS", "--shards"
  std::string excerpt;  ///< the line and a caret under what is meant; empty without a file
};

struct Problem {
  Origin origin;
  std::string message;

  /// The first line, the excerpt, and what the message has to say beyond its first line.
  std::string text() const {
    const std::size_t end = message.find('\n');
    std::string out = origin.where.empty() ? "" : origin.where + ": ";
    out += message.substr(0, end);
    if (!origin.excerpt.empty()) out += "\n" + origin.excerpt;
    if (end != std::string::npos) out += message.substr(end);
    return out;
  }
};

using Problems = std::vector<Problem>;

}  // namespace sluice::config
