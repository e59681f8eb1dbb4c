#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <memory>
#include <optional>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/message_format.h"
#include "cli/outcome_text.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/runtime.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

// What SUBSCRIBE and CREDIT can carry (docs/formats/wire.md, section Subscribing).
constexpr std::uint64_t kQueueMessagesMax = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kCreditMax = (std::uint64_t{1} << 62) - 1;

struct SubOptions {
  SubscribeOptions subscribe;
  std::uint64_t queue_messages = 0;
  std::uint64_t count = 0;   // 0: no end
  std::uint64_t credit = 0;  // 0: the library's default
  Duration timeout{0};
  Duration slow{0};
  std::optional<MessageFormat> format;
};

/// Prints what arrives until the count, the time, Ctrl-C, the reader or the broker ends it.
class Receiving {
 public:
  Receiving(Runtime& runtime, Subscription subscription, const SubOptions& options)
      : runtime_(runtime),
        subscription_(std::move(subscription)),
        options_(options),
        format_(format_of(runtime.globals(), options)),
        out_(STDOUT_FILENO) {}

  ExitCode run() {
    async::CancelSource limit = runtime_.until(options_.timeout);
    Status ended = receive(limit.context());
    close();
    if (!is_complete()) take_rest();
    const Status written = out_.flush();
    summarize();
    if (!written && written.error().code != ErrorCode::kClosed) {
      return runtime_.failed("cannot print", written.error());
    }
    return judge(ended);
  }

 private:
  static MessageFormat format_of(const Globals& globals, const SubOptions& options) {
    if (options.format) return *options.format;
    return *MessageFormat::parse(globals.json ? "json" : "text");
  }

  bool is_complete() const { return options_.count > 0 && totals_.messages >= options_.count; }

  Status receive(const async::Context& context) {
    while (!is_complete()) {
      Status going_on = context.check();
      if (going_on) going_on = out_.status();
      if (going_on) going_on = options_.slow.count() > 0 ? take_one(context) : take_batch(context);
      if (!going_on) return going_on;
    }
    return {};
  }

  // What has arrived is taken without waiting; output is written out before a wait begins.
  Status take_batch(const async::Context& context) {
    auto item = subscription_.try_next_batch();
    if (!item && item.error().code == ErrorCode::kWouldBlock) {
      if (Status written = out_.flush(); !written) return written;
      item = runtime_.wait(subscription_.next_batch(context));
    }
    if (!item) return base::fail(item.error());
    std::visit([this](const auto& what) { take(what); }, *item);
    return {};
  }

  Status take_one(const async::Context& context) {
    if (Status written = out_.flush(); !written) return written;
    auto item = runtime_.wait(subscription_.next(context));
    if (!item) return base::fail(item.error());
    std::visit([this](const auto& what) { take(what); }, *item);
    if (Status written = out_.flush(); !written) return written;
    if (std::holds_alternative<Message>(*item)) runtime_.sleep(options_.slow);
    return {};
  }

  // After the end of the subscription: what had arrived by then was delivered and is shown.
  void take_rest() {
    while (out_.status()) {
      auto item = subscription_.try_next_batch();
      if (!item) return;
      std::visit([this](const auto& what) { take(what); }, *item);
    }
  }

  void take(const MessageBatch& batch) {
    for (const MessageView& message : batch) {
      if (is_complete() || !out_.status()) return;
      take(message);
    }
  }

  void take(const MessageView& message) {
    stamp();
    ++totals_.messages;
    totals_.bytes += message.payload().size();
    format_.append(out_.buffer(), shown(message));
    out_.written();
  }

  void take(const Gap& gap) {
    stamp();
    totals_.add(gap);
    tell(format_.is_json() ? gap_json(gap) : gap_text(gap));
  }

  void take(const Reconnected& reconnected) {
    ++totals_.reconnects;
    tell(format_.is_json() ? reconnected_json(reconnected) : reconnected_text(reconnected));
  }

  // In a stream of JSON objects it stands in its place; a payload could not be told from it else.
  void tell(const std::string& line) {
    if (format_.is_json()) return out_.append(line + '\n');
    out_.flush();
    note(runtime_.globals(), line);
  }

  void stamp() {
    last_at_ = runtime_.now();
    if (!first_at_) first_at_ = last_at_;
  }

  void close() {
    async::CancelSource end = runtime_.finishing();
    auto account = runtime_.wait(subscription_.close(end.context()));
    // The account of a shared subscription is its group's: `sluice status` has it.
    if (account && options_.subscribe.share.empty()) totals_.account = *account;
  }

  void summarize() {
    if (first_at_) totals_.elapsed = last_at_ - *first_at_;
    const bool json = runtime_.globals().json;
    print_summary(runtime_.globals(), json ? received_json(totals_) : received_text(totals_));
  }

  ExitCode judge(const Status& ended) {
    if (is_complete()) return ExitCode::kOk;
    if (const ExitCode code = runtime_.interrupt().exit_code(); code != ExitCode::kOk) return code;
    if (ended || !out_.status() || runtime_.interrupt().is_interrupted()) return ExitCode::kOk;
    if (ended.error().code != ErrorCode::kDeadlineExceeded) {
      return runtime_.failed("subscription ended", ended.error());
    }
    if (options_.count == 0) return totals_.messages > 0 ? ExitCode::kOk : ExitCode::kTimeout;
    note(runtime_.globals(),
         fmt::format("{} of {} messages came in the time given", totals_.messages, options_.count));
    return ExitCode::kTimeout;
  }

  Runtime& runtime_;
  Subscription subscription_;
  const SubOptions& options_;
  MessageFormat format_;
  Output out_;
  ReceivedTotals totals_;
  std::optional<MonotonicTime> first_at_;
  MonotonicTime last_at_{};
};

SubscribeOptions subscribe_options(const SubOptions& options) {
  SubscribeOptions subscribe = options.subscribe;
  subscribe.queue_messages = static_cast<std::uint32_t>(options.queue_messages);
  // Who wants only a few messages takes no more from the broker.
  if (options.count > 0) {
    subscribe.credit_messages = std::min(subscribe.credit_messages, options.count);
  }
  if (options.credit > 0) subscribe.credit_messages = options.credit;
  return subscribe;
}

ExitCode sub(const Globals& globals, const SubOptions& options) {
  Runtime runtime(globals, WhenUnread::kEnd);
  auto client = runtime.connect(true);
  if (!client) return runtime.cannot_connect(client.error());
  async::CancelSource limit = runtime.until(options.timeout);
  auto subscription =
      runtime.wait((*client)->subscribe(limit.context(), subscribe_options(options)));
  if (!subscription) return runtime.failed("cannot subscribe", subscription.error());
  return Receiving(runtime, std::move(*subscription), options).run();
}

void add_queue_options(CLI::App& verb, SubOptions& options) {
  SubscribeOptions& subscribe = options.subscribe;
  add_count(verb, "--queue-messages", options.queue_messages, {1, kQueueMessagesMax},
            "Messages that may wait in the broker");
  add_size(verb, "--queue-bytes", subscribe.queue_bytes, "Bytes that may wait in the broker");
  add_duration(verb, "--max-lag", subscribe.max_lag, "Age that the oldest waiting one may have");
  verb.add_option("--overflow", subscribe.overflow,
                  "What a full queue does, step by step: block:50ms,drop_oldest")
      ->type_name("LADDER");
  verb.add_option("--share", subscribe.share,
                  "Share the messages with the other members of this group")
      ->type_name("GROUP");
  verb.add_option("--name", subscribe.name, "Name in receipts and in `sluice status`")
      ->type_name("NAME");
  add_count(verb, "--credit", options.credit, {1, kCreditMax},
            "Messages that may be on their way to this program or wait in it");
}

}  // namespace

void add_sub(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("sub", "Subscribe and print what arrives");
  auto options = std::make_shared<SubOptions>();
  verb->add_option("FILTER", options->subscribe.filters,
                   "Topics: * is one level, > is all further ones; quote them")
      ->required();
  add_count(*verb, "-n,--count", options->count, 1, "End after so many messages");
  add_duration(*verb, "--timeout", options->timeout, "End after this time");
  add_format(
      *verb, options->format,
      "text (topic and payload, escaped), raw (payload bytes alone), json, hex, or a template: "
      "%t topic, %p payload, %x in hex, %l length, %k key, %s sequence, %d date, %{name} header, "
      "%j json, \\n \\t \\0 \\xNN");
  add_queue_options(*verb, *options);
  add_pause(*verb, "--slow", options->slow, "Wait so long after each message: for trying out");
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) { return sub(globals, *options); };
  });
}

}  // namespace sluice::cli
