// verbs.h: each verb adds itself to the command line.
//
// add_X declares the subcommand and its options; when it is the one chosen, parsing sets
// invocation.action, which then does the work. Both arguments outlive the parsing and the action.
//
// Thread:   main.
// Tests:    tests/unit/cli/app_test.cc

#pragma once

#include "cli/globals.h"

namespace sluice::cli {

void add_pub(CLI::App& app, Invocation& invocation);
void add_sub(CLI::App& app, Invocation& invocation);
void add_request(CLI::App& app, Invocation& invocation);
void add_reply(CLI::App& app, Invocation& invocation);
void add_bench(CLI::App& app, Invocation& invocation);
void add_ping(CLI::App& app, Invocation& invocation);
void add_audit(CLI::App& app, Invocation& invocation);
void add_drops(CLI::App& app, Invocation& invocation);
void add_explain(CLI::App& app, Invocation& invocation);
void add_subscription(CLI::App& app, Invocation& invocation);
void add_rehearse(CLI::App& app, Invocation& invocation);
void add_limit(CLI::App& app, Invocation& invocation);
void add_status(CLI::App& app, Invocation& invocation);
void add_plan(CLI::App& app, Invocation& invocation);
void add_errors(CLI::App& app, Invocation& invocation);
void add_version(CLI::App& app, Invocation& invocation);
void add_completion(CLI::App& app, Invocation& invocation);

}  // namespace sluice::cli
