// report.h: what goes to standard error: errors with a remedy, notes, summaries.
//
// Thread:   any; one call is one line.

#pragma once

#include <string_view>

#include "cli/globals.h"

namespace sluice::cli {

/// "sluice VERB: text"
void print_error(const Globals& globals, std::string_view text);

/// Prints the error with its remedy, after `what` failed; returns what to exit with.
ExitCode report(const Globals& globals, std::string_view what, const Error& error);

/// The same form as print_error; silent with -q.
void note(const Globals& globals, std::string_view text);

/// A line of its own, without the name of the program; silent with -q.
void print_summary(const Globals& globals, std::string_view text);

/// Prints to standard output and tells whether it could.
ExitCode print(const Globals& globals, std::string_view text);

}  // namespace sluice::cli
