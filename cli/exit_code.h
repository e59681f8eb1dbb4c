// exit_code.h: what does the exit status of `sluice` tell a script?
//
// The numbers are stable; docs/guide/cli.md lists them.
//
// Thread:   values; any thread.
// Tests:    tests/unit/cli/exit_code_test.cc

#pragma once

#include <sluice/error.h>

namespace sluice::cli {

enum class ExitCode : int {
  kOk = 0,
  kFailure = 1,        ///< any other error; it is on standard error
  kUsage = 2,          ///< the command line, a topic, a filter or a ladder is not valid
  kCannotConnect = 3,  ///< no broker answers there
  kNotAccepted = 4,    ///< a receipt is not "accepted", or a line could not be published
  kTimeout = 5,        ///< the time is over, or fewer messages came than were asked for
  kNoResponders = 6,   ///< request: nobody is subscribed to answer
  kInterrupted = 130,  ///< SIGINT
  kTerminated = 143,   ///< SIGTERM
};

/// What a verb that fails with `error` exits with.
ExitCode exit_code_of(const Error& error) noexcept;

}  // namespace sluice::cli
