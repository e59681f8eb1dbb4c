// app.h: the command line as a whole: verbs, global options, what is said about mistakes.
//
// Thread:   main.
// Errors:   ExitCode::kUsage after one line that names the mistake, and where help is.
// Tests:    tests/unit/cli/app_test.cc, tests/integration/cli/cli_test.py

#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/globals.h"

namespace sluice::cli {

/// The model of the command line; parsing fills `invocation`, which outlives it.
std::unique_ptr<CLI::App> make_app(Invocation& invocation);

/// Parses arguments without the program's name. Nothing when invocation.action is to be run; else
/// what to exit with, after help or an error has been written.
std::optional<ExitCode> parse(CLI::App& app, Invocation& invocation,
                              std::vector<std::string> arguments, std::ostream& out,
                              std::ostream& err);

/// The whole program.
int run(int argc, char** argv);

}  // namespace sluice::cli
