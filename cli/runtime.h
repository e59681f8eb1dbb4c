// runtime.h: what every verb that talks to a broker stands on: signals, waiting, a connection.
//
// Owner:    the verb; outlives the clients made with it.
// Thread:   the verb's own, which waits.
// Errors:   connect: kConnectFailed, kTimeout, those of the handshake; kCanceled after Ctrl-C.
// Tests:    tests/integration/cli/cli_test.py

#pragma once

#include <functional>
#include <memory>
#include <sluice/async/async.h>
#include <sluice/client.h>
#include <string_view>

#include "cli/globals.h"
#include "cli/interrupt.h"

namespace sluice::cli {

/// What a verb that publishes wants of its client: see ClientOptions.
struct PublishingOptions {
  std::uint64_t producer_id = 0;
  std::uint64_t first_sequence = 0;
  std::function<void(const Receipt&)> on_receipt = {};
};

class Runtime {
 public:
  explicit Runtime(const Globals& globals, WhenUnread when_unread = WhenUnread::kGoOn)
      : globals_(globals), interrupt_(when_unread) {}

  /// Waits for the first connection. A client that reconnects says on standard error when its
  /// connection is lost and when it is back.
  Result<std::unique_ptr<Client>> connect(bool reconnect, PublishingOptions publishing = {});

  /// Runs `task` and waits for its end.
  template <typename T>
  T wait(async::Task<T> task) {
    return async::block_on(executor_, std::move(task));
  }

  /// Done after Ctrl-C.
  const async::Context& context() const noexcept { return interrupt_.context(); }
  /// The same, and done after `timeout` as well; 0 is no limit.
  async::CancelSource until(Duration timeout);
  /// A time to finish in that Ctrl-C does not cut short: a second Ctrl-C does.
  async::CancelSource finishing();
  /// Waits, unless interrupted.
  void sleep(Duration duration);

  Interrupt& interrupt() noexcept { return interrupt_; }
  MonotonicTime now() const noexcept { return executor_.clock().now(); }
  WallTime wall_now() const noexcept { return executor_.clock().wall_now(); }
  const Globals& globals() const noexcept { return globals_; }

  /// Prints what failed and returns the exit code; after a signal only the latter.
  ExitCode failed(std::string_view what, const Error& error) const;
  /// The same for an error of connect().
  ExitCode cannot_connect(const Error& error) const;

 private:
  const Globals& globals_;
  Interrupt interrupt_;  // first: it blocks signals for the threads made after it
  async::ThreadExecutor executor_;
};

}  // namespace sluice::cli
