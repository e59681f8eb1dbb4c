#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <sluice/units.h>
#include <unistd.h>

#include "cli/line_reader.h"
#include "cli/outcome_text.h"
#include "cli/pub_options.h"
#include "cli/report.h"
#include "cli/runtime.h"
#include "cli/sender.h"
#include "cli/table.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

constexpr std::uint64_t kLineErrorsShown = 10;

// True for what is wrong with one message and not with the next.
bool concerns_one_message(const Error& error) {
  switch (error.code) {
    case ErrorCode::kBadTopic:
    case ErrorCode::kReservedTopic:
    case ErrorCode::kBadArgument:
    case ErrorCode::kMessageTooLarge:
      return true;
    default:
      return false;
  }
}

/// Publishes what the options name, and says how it went.
class Publishing {
 public:
  Publishing(Runtime& runtime, Client& client, const PubOptions& options,
             std::shared_ptr<Refusal> refusal)
      : runtime_(runtime),
        options_(options),
        sender_(runtime, client, options, std::move(refusal)) {}

  ExitCode run() {
    Status sent = options_.lines ? send_lines() : send_payload();
    Status finished = sender_.finish();
    if (sent) sent = std::move(finished);
    PublishedTotals totals = sender_.totals();
    totals.not_published = not_published_;
    const bool many = options_.lines || options_.count > 1;
    const bool json = runtime_.globals().json;
    if (many)
      print_summary(runtime_.globals(), json ? published_json(totals) : published_text(totals));
    return judge(sent, totals);
  }

 private:
  Status send_lines() {
    LineReader reader(STDIN_FILENO, runtime_.interrupt().fd());
    for (;;) {
      auto line = reader.next();
      if (!line && line.error().code == ErrorCode::kClosed) return {};
      if (!line) return base::fail(line.error());
      Status sent = send_line(*line);
      if (sent) continue;
      if (!concerns_one_message(sent.error())) return sent;
      refuse_line(reader.line_number(), sent.error());
    }
  }

  Status send_line(std::string_view line) {
    if (!options_.separator) return sender_.send(options_.message.topic, line);
    auto parts = split_line(line, *options_.separator);
    if (!parts) return base::fail(parts.error());
    return sender_.send(parts->topic, parts->payload);
  }

  void refuse_line(std::uint64_t number, const Error& error) {
    ++not_published_;
    if (not_published_ <= kLineErrorsShown) {
      print_error(runtime_.globals(), fmt::format("line {}: {}", number, error.message()));
    } else if (not_published_ == kLineErrorsShown + 1) {
      print_error(runtime_.globals(), "further lines that could not be published are only counted");
    }
  }

  Status send_payload() {
    auto payload = read_payload(options_.message, runtime_.interrupt().fd());
    if (!payload) return base::fail(payload.error());
    for (std::uint64_t i = 0; i < options_.count; ++i) {
      Status sent = runtime_.context().check();
      if (sent) sent = sender_.send(options_.message.topic, *payload);
      if (!sent) return sent;
    }
    return {};
  }

  ExitCode judge(const Status& sent, const PublishedTotals& totals) {
    if (const ExitCode code = runtime_.interrupt().exit_code(); code != ExitCode::kOk) return code;
    if (!sent) return runtime_.failed("cannot publish", sent.error());
    if (const auto refusal = sender_.first_refusal()) return refused(*refusal, totals);
    if (const std::uint64_t refused_count = not_accepted(totals.sums); refused_count > 0) {
      print_error(runtime_.globals(), fmt::format("{} of {} messages were not accepted",
                                                  refused_count, totals.sums.answered));
      return ExitCode::kNotAccepted;
    }
    if (totals.sums.unknown > 0) {
      print_error(runtime_.globals(),
                  fmt::format("the outcome of {} messages is unknown: the connection was lost "
                              "before their receipts came",
                              totals.sums.unknown));
      return ExitCode::kFailure;
    }
    return not_published_ > 0 ? ExitCode::kNotAccepted : ExitCode::kOk;
  }

  // What was withdrawn was meant to be.
  std::uint64_t not_accepted(const PublishTotals& sums) const {
    const auto withdrawn = sums.by_status[static_cast<std::size_t>(ReceiptStatus::kCancelled)];
    return sums.answered - sums.ok - (options_.cancel_after ? withdrawn : 0);
  }

  ExitCode refused(const Receipt& receipt, const PublishedTotals& totals) {
    std::string what = "not accepted";
    if (totals.sums.answered > 1) {
      what = fmt::format("{} of {} messages have another receipt than accepted; the first",
                         totals.sums.answered - totals.sums.ok, totals.sums.answered);
    }
    if (receipt.reason == ErrorCode::kNone) {
      print_error(runtime_.globals(), what + ": " + receipt_text(receipt));
      return ExitCode::kNotAccepted;
    }
    const Error error{receipt.reason, receipt_text(receipt)};
    print_error(runtime_.globals(), what + ": " + error.message());
    tell_of_batch(receipt);
    return receipt.reason == ErrorCode::kNoResponders ? ExitCode::kNoResponders
                                                      : ExitCode::kNotAccepted;
  }

  // Who wrote lines thinks of lines.
  void tell_of_batch(const Receipt& receipt) const {
    const bool whole =
        receipt.reason == ErrorCode::kQueueFull || receipt.reason == ErrorCode::kNeedNotMet ||
        receipt.reason == ErrorCode::kRateLimited || receipt.reason == ErrorCode::kMessageTooLarge;
    if (!whole || receipt.messages < 2) return;
    note(runtime_.globals(),
         fmt::format("{} went as one batch, which is refused as a whole there; with --each every "
                     "message is taken or refused by itself",
                     counted(receipt.messages, "message")));
  }

  Runtime& runtime_;
  const PubOptions& options_;
  Sender sender_;
  std::uint64_t not_published_ = 0;
};

ExitCode pub(const Globals& globals, const PubOptions& options) {
  if (const std::string wrong = contradiction(options); !wrong.empty()) {
    print_error(globals, wrong + "\nsee: sluice pub --help");
    return ExitCode::kUsage;
  }
  Runtime runtime(globals);
  // What an idempotent producer sends again is never published twice.
  const bool reconnect = options.lines || options.count > 1 || options.producer_id != 0;
  auto refusal = std::make_shared<Refusal>();
  auto client =
      runtime.connect(reconnect, {options.producer_id, options.first_sequence,
                                  [refusal](const Receipt& receipt) { refusal->keep(receipt); }});
  if (!client) return runtime.cannot_connect(client.error());
  return Publishing(runtime, **client, options, std::move(refusal)).run();
}

}  // namespace

void add_pub(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("pub", "Publish messages");
  auto options = std::make_shared<PubOptions>();
  add_message_options(*verb, options->message);
  verb->add_flag("-l,--lines", options->lines, "One message per line of standard input");
  verb->add_option_function<std::string>(
          "--topic-from-line",
          [options](const std::string& separator) { options->separator = separator; },
          "Lines are TOPIC, this separator, PAYLOAD; leave TOPIC out")
      ->type_name("SEPARATOR");
  add_count(*verb, "-n,--count", options->count, 1, "Publish the same message so many times");
  add_needs(*verb, options->need);
  verb->add_flag(
      "--each", options->each,
      "Publish every message by itself and not in batches, so that it is taken or refused "
      "alone");
  verb->add_flag("-r,--receipt", options->receipt, "Wait for each message's receipt and print it");
  add_value(
      *verb, "--receipts", "all|problems|none",
      [options](const std::string& value) { return read_receipts(value, options->receipts); },
      "Which receipts to ask for; all by default");
  add_value(
      *verb, "--cancel-after", "DURATION",
      [options](const std::string& value) -> std::string {
        auto duration = parse_duration(value);
        if (!duration) return duration.error().detail;
        options->cancel_after = *duration;
        return {};
      },
      "Publish, wait so long, withdraw what nobody has got yet, and print how much that was");
  add_count(*verb, "--producer-id", options->producer_id, 1,
            "Number the messages as this producer: what has no receipt when the connection is lost "
            "is sent again, and published once");
  add_count(*verb, "--first-sequence", options->first_sequence, 1,
            "The producer's first number; by default the one behind all that the broker has of it");
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) { return pub(globals, *options); };
  });
}

}  // namespace sluice::cli
