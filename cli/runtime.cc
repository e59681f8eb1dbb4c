#include "cli/runtime.h"

#include <fmt/format.h>
#include <sluice/units.h>
#include <unistd.h>

#include "cli/report.h"
#include "cli/table.h"

namespace sluice::cli {
namespace {

constexpr Duration kFinishing = std::chrono::seconds(5);

void tell(const Globals& globals, const ConnectionEvent& event) {
  if (event.state == ConnectionState::kDisconnected) {
    std::string text = "connection lost: " + event.error.message();
    if (event.attempt > 0) {
      text = fmt::format("attempt {}: {}", event.attempt, event.error.message());
    }
    if (event.unknown > 0) {
      text += fmt::format("; the outcome of {} messages is unknown", event.unknown);
    }
    if (event.to_resend > 0) {
      text += fmt::format("; {} sent again", event.to_resend == 1
                                                 ? "1 message is"
                                                 : grouped(event.to_resend) + " messages are");
    }
    text += "; next attempt in " + human_duration(event.retry_in);
    note(globals, text);
  }
  // For good, though this program has not asked for it and may not notice for long.
  if (event.state == ConnectionState::kClosed && event.error.code == ErrorCode::kTakenOver) {
    note(globals, "the connection is closed: " + event.error.message());
  }
  if (event.state == ConnectionState::kDraining) note(globals, "the broker is shutting down");
}

async::Task<Status> sleep_task(async::Context context, Duration duration) {
  Status slept = co_await async::sleep_for(context, duration);
  co_return slept;
}

}  // namespace

Result<std::unique_ptr<Client>> Runtime::connect(bool reconnect, PublishingOptions publishing) {
  ClientOptions options;
  options.server = globals_.server;
  options.name = fmt::format("sluice-{}-{}", globals_.verb, getpid());
  options.connect_timeout = globals_.connect_timeout;
  options.reconnect = reconnect && globals_.reconnect;
  options.producer_id = publishing.producer_id;
  options.first_sequence = publishing.first_sequence;
  options.on_receipt = std::move(publishing.on_receipt);
  options.on_state = [&globals = globals_](const ConnectionEvent& event) { tell(globals, event); };
  return wait(Client::connect(context(), std::move(options)));
}

async::CancelSource Runtime::until(Duration timeout) {
  if (timeout.count() == 0) return async::CancelSource(context());
  return async::CancelSource(context(), executor_, now() + timeout);
}

async::CancelSource Runtime::finishing() {
  return async::CancelSource(async::Context(), executor_, now() + kFinishing);
}

void Runtime::sleep(Duration duration) {
  // Whether it slept to the end shows in interrupt().
  const Status slept = wait(sleep_task(context(), duration));
  static_cast<void>(slept);
}

ExitCode Runtime::failed(std::string_view what, const Error& error) const {
  if (interrupt_.is_interrupted()) return interrupt_.exit_code();
  return report(globals_, what, error);
}

ExitCode Runtime::cannot_connect(const Error& error) const {
  const ExitCode code = failed("cannot connect to " + globals_.server, error);
  // Whoever is there and says nothing, or something else, is no broker that one can connect to.
  const bool no_broker = code == ExitCode::kTimeout || code == ExitCode::kFailure;
  return no_broker ? ExitCode::kCannotConnect : code;
}

}  // namespace sluice::cli
