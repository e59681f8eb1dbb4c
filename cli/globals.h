// globals.h: what do all verbs of one command line share?
//
// Owner:    main(), filled by the parser; verbs read it.
// Thread:   immutable once parsed.

#pragma once

#include <functional>
#include <sluice/client.h>
#include <string>

#include "cli/exit_code.h"

namespace CLI {
class App;
}

namespace sluice::cli {

struct Globals {
  std::string verb;  ///< for messages: "sluice VERB: …"
  std::string server = "127.0.0.1:4880";
  bool json = false;  ///< -o json
  bool quiet = false;
  bool reconnect = true;
  Duration connect_timeout = std::chrono::seconds(5);
};

/// A parsed command line: what it shares, and what the chosen verb does.
struct Invocation {
  Globals globals;
  std::function<ExitCode(const Globals&)> action;
};

}  // namespace sluice::cli
