#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "cli/message_format.h"
#include "cli/pub_options.h"
#include "cli/report.h"
#include "cli/runtime.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

struct RequestOptions {
  MessageOptions message;
  Duration timeout = std::chrono::seconds(5);
  std::optional<MessageFormat> format;
};

MessageFormat format_of(const Globals& globals, const RequestOptions& options,
                        const Message& answer) {
  if (options.format) return *options.format;
  if (globals.json) return *MessageFormat::parse("%j\\n");
  // Answers of commands end their line themselves.
  return *MessageFormat::parse(answer.text().ends_with('\n') ? "%p" : "%p\\n");
}

ExitCode request(const Globals& globals, const RequestOptions& options) {
  if (options.message.payload && !options.message.file.empty()) {
    print_error(globals, "give only one of PAYLOAD and --file\nsee: sluice request --help");
    return ExitCode::kUsage;
  }
  Runtime runtime(globals);
  auto payload = read_payload(options.message, runtime.interrupt().fd());
  if (!payload) return runtime.failed("cannot read the payload", payload.error());
  auto client = runtime.connect(false);
  if (!client) return runtime.cannot_connect(client.error());
  Outgoing message = outgoing_of(options.message);
  message.payload = as_bytes(*payload);
  if (options.message.deadline.count() > 0) {
    message.deadline = runtime.wall_now() + options.message.deadline;
  }
  async::CancelSource limit = runtime.until(options.timeout);
  auto answer = runtime.wait((*client)->request(limit.context(), options.message.topic, message));
  if (!answer) return runtime.failed("no answer from " + options.message.topic, answer.error());
  if (const auto why = answer->header("error"); why && answer->payload().empty()) {
    return runtime.failed("no answer from " + options.message.topic,
                          Error{ErrorCode::kUnavailable, std::string(*why)});
  }
  std::string out;
  format_of(globals, options, *answer).append(out, shown(*answer));
  return print(globals, out);
}

}  // namespace

void add_request(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("request", "Publish a request and print the answer");
  auto options = std::make_shared<RequestOptions>();
  add_message_options(*verb, options->message);
  verb->get_option("TOPIC")->required();
  add_duration(*verb, "--timeout", options->timeout, "How long to wait; 5s by default");
  add_format(*verb, options->format,
             "As of sub; by default the payload, with a newline where it has none");
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) { return request(globals, *options); };
  });
}

}  // namespace sluice::cli
