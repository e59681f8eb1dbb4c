#include <CLI/CLI.hpp>

#include "cli/report.h"
#include "cli/verbs.h"

namespace sluice::cli {

void add_version(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("version", "Print the version of this program");
  verb->callback([&invocation] {
    invocation.action = [](const Globals& globals) {
      if (globals.json) return print(globals, "{\"version\":\"" SLUICE_VERSION "\"}\n");
      return print(globals, "sluice " SLUICE_VERSION "\n");
    };
  });
}

}  // namespace sluice::cli
