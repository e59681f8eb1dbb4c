// child_process.h: runs a shell command: bytes in, bytes out.
//
// Owner:    nothing is kept between calls.
// Thread:   the caller's, which waits.
// Limits:   output over `output_max` bytes ends the command.
// Errors:   kIo when it cannot be started, kMessageTooLarge, kCanceled once the interrupt
//           descriptor is readable. In the last two cases the command has been terminated.
// Tests:    tests/unit/cli/child_process_test.cc

#pragma once

#include <sluice/error.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::cli {

struct ChildResult {
  std::string output;
  int exit_code = 0;  ///< 128 plus its number when a signal ended it
};

struct ChildOptions {
  std::string command;                                                ///< for /bin/sh -c
  std::vector<std::pair<std::string, std::string>> environment = {};  ///< besides our own
  int interrupt_fd = -1;
  std::size_t output_max = 16U << 20;
};

/// Gives `input` to the command's standard input and collects its standard output.
Result<ChildResult> run_child(const ChildOptions& options, std::string_view input);

}  // namespace sluice::cli
