// interrupt.h: Ctrl-C, SIGTERM, and, where it matters, a reader of our output that has gone away.
//
// The first of these ends the context, with which every wait of a verb is made, so that the verb
// finishes in order: unsubscribes, prints its summary. A second signal ends the process at once.
// SIGPIPE is ignored: a write to nobody is an error of that write.
//
// Owner:    one per process, made before any thread is: SIGINT and SIGTERM are blocked in the
//           thread that makes it and in those which it starts from then on.
// Thread:   made and destroyed in main; the getters: any thread.
// Tests:    tests/integration/cli/cli_test.py

#pragma once

#include <atomic>
#include <cstdint>
#include <sluice/async/context.h>
#include <thread>

#include "cli/exit_code.h"

namespace sluice::cli {

/// What happens when the program that reads our standard output ends.
enum class WhenUnread : std::uint8_t {
  kGoOn,  ///< the work is worth doing all the same
  kEnd,   ///< the output is what the work is for
};

class Interrupt {
 public:
  explicit Interrupt(WhenUnread when_unread);
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  /// Done from the first signal on, or with kEnd once nobody reads our output any more.
  const async::Context& context() const noexcept { return source_.context(); }
  /// Readable from then on: for poll() beside other input.
  int fd() const noexcept { return interrupted_fd_; }
  bool is_interrupted() const noexcept { return context().is_done(); }

  /// What to exit with after a signal; kOk when there was none.
  ExitCode exit_code() const noexcept;

 private:
  void watch();
  void on_signal();
  void end(const char* why);

  int signal_fd_;
  int stop_fd_;
  int interrupted_fd_;
  WhenUnread when_unread_;
  std::atomic<int> signal_{0};
  async::CancelSource source_;
  std::thread watcher_;  // last: it uses all of the above
};

}  // namespace sluice::cli
