#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>

#include "cli/arguments.h"
#include "cli/child_process.h"
#include "cli/outcome_text.h"
#include "cli/report.h"
#include "cli/runtime.h"
#include "cli/table.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

struct ReplyOptions {
  std::string filter;
  std::optional<std::string> text;
  std::string command;
  bool echo = false;
  std::string share;
  std::string name;
  std::uint64_t count = 0;  // 0: no end
  Duration timeout{0};
};

std::string contradiction(const ReplyOptions& options) {
  const int sources =
      (options.text ? 1 : 0) + (options.command.empty() ? 0 : 1) + (options.echo ? 1 : 0);
  if (sources == 1) return {};
  return sources == 0 ? "there is no answer: give TEXT, --command COMMAND or --echo"
                      : "give only one of TEXT, --command and --echo";
}

/// Answers requests one after the other until the count, the time or Ctrl-C ends it.
class Replying {
 public:
  Replying(Runtime& runtime, Client& client, Subscription subscription, const ReplyOptions& options)
      : runtime_(runtime),
        client_(client),
        subscription_(std::move(subscription)),
        options_(options) {}

  ExitCode run() {
    async::CancelSource limit = runtime_.until(options_.timeout);
    Status ended = serve(limit.context());
    async::CancelSource end = runtime_.finishing();
    // Answers that are on their way arrive before the connection ends.
    Status flushed = runtime_.wait(client_.drain(end.context()));
    print_summary(runtime_.globals(), counted(answered_, "request") + " answered");
    if (const ExitCode code = runtime_.interrupt().exit_code(); code != ExitCode::kOk) return code;
    if (!ended && ended.error().code == ErrorCode::kDeadlineExceeded) {
      const bool enough = options_.count == 0 && answered_ > 0;
      return enough ? ExitCode::kOk : ExitCode::kTimeout;
    }
    if (!ended) return runtime_.failed("cannot go on", ended.error());
    if (!flushed) return runtime_.failed("the last answers may be lost", flushed.error());
    return ExitCode::kOk;
  }

 private:
  Status serve(const async::Context& context) {
    while (options_.count == 0 || answered_ < options_.count) {
      auto item = runtime_.wait(subscription_.next(context));
      if (!item) return base::fail(item.error());
      if (const auto* gap = std::get_if<Gap>(&*item)) {
        note(runtime_.globals(), gap_text(*gap));
      }
      if (const auto* message = std::get_if<Message>(&*item)) {
        if (Status answered = answer(*message); !answered) return answered;
      }
    }
    return {};
  }

  Status answer(const Message& request) {
    if (!Client::wants_reply(request)) {
      note(runtime_.globals(), fmt::format("a message on {} asks for no answer", request.topic()));
      return {};
    }
    std::string output;
    std::string exit_code;
    Outgoing reply;
    if (options_.echo) {
      reply.payload = request.payload();
    } else if (options_.text) {
      reply.payload = as_bytes(*options_.text);
    } else {
      auto result = run_command(request);
      if (!result) return base::fail(result.error());
      output = std::move(result->output);
      reply.payload = as_bytes(output);
      exit_code = std::to_string(result->exit_code);
      if (result->exit_code != 0) reply.headers.emplace_back("exit-code", exit_code);
    }
    Status sent = client_.reply(request, reply);
    if (!sent && sent.error().code == ErrorCode::kMessageTooLarge) {
      // One answer that does not fit is told to who asked for it, and ends nothing.
      const std::string why = sent.error().message();
      note(runtime_.globals(), why);
      sent = client_.reply(request, Outgoing{.payload = {}, .headers = {{"error", why}}});
    }
    if (sent) ++answered_;
    return sent;
  }

  Result<ChildResult> run_command(const Message& request) {
    ChildOptions child;
    child.command = options_.command;
    child.environment = {{"SLUICE_TOPIC", std::string(request.topic())},
                         {"SLUICE_KEY", std::string(as_text(request.key()))}};
    child.interrupt_fd = runtime_.interrupt().fd();
    return run_child(child, request.text());
  }

  Runtime& runtime_;
  Client& client_;
  Subscription subscription_;
  const ReplyOptions& options_;
  std::uint64_t answered_ = 0;
};

ExitCode reply(const Globals& globals, const ReplyOptions& options) {
  if (const std::string wrong = contradiction(options); !wrong.empty()) {
    print_error(globals, wrong + "\nsee: sluice reply --help");
    return ExitCode::kUsage;
  }
  Runtime runtime(globals);
  auto client = runtime.connect(true);
  if (!client) return runtime.cannot_connect(client.error());
  SubscribeOptions subscribe;
  subscribe.filters = {options.filter};
  subscribe.share = options.share;
  subscribe.name = options.name;
  async::CancelSource limit = runtime.until(options.timeout);
  auto subscription = runtime.wait((*client)->subscribe(limit.context(), std::move(subscribe)));
  if (!subscription) return runtime.failed("cannot subscribe", subscription.error());
  return Replying(runtime, **client, std::move(*subscription), options).run();
}

}  // namespace

void add_reply(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("reply", "Answer requests");
  auto options = std::make_shared<ReplyOptions>();
  verb->add_option("FILTER", options->filter, "The topic, or a filter, to answer on")->required();
  verb->add_option_function<std::string>(
      "TEXT", [options](const std::string& text) { options->text = text; },
      "The same answer for all");
  verb->add_option("--command", options->command,
                   "A shell command: the request is its input, its output the answer; it finds "
                   "SLUICE_TOPIC and SLUICE_KEY in its environment, and when it fails the answer "
                   "has a header exit-code")
      ->type_name("COMMAND");
  verb->add_flag("--echo", options->echo, "The answer is the request");
  verb->add_option("--share", options->share, "Share the requests with others of this group")
      ->type_name("GROUP");
  verb->add_option("--name", options->name, "Name in `sluice status`")->type_name("NAME");
  add_count(*verb, "-n,--count", options->count, 1, "End after so many answers");
  add_duration(*verb, "--timeout", options->timeout, "End after this time");
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) { return reply(globals, *options); };
  });
}

}  // namespace sluice::cli
