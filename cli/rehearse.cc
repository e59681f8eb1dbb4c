#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <sluice/units.h>

#include "cli/admin_request.h"
#include "cli/arguments.h"
#include "cli/report.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

struct OrderOptions {
  std::string action;
  std::string name;
  Duration delay{0};
  Duration time{0};
  Duration timeout = std::chrono::seconds(10);
};

std::int64_t whole_ms(Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return std::max<std::int64_t>(1, ms);
}

void add_action(CLI::App& verb, const std::shared_ptr<OrderOptions>& options,
                const std::string& actions, const std::vector<std::string>& known) {
  add_value(
      verb, "ACTION", actions,
      [options, known](const std::string& value) -> std::string {
        options->action = value;
        if (std::find(known.begin(), known.end(), value) != known.end()) return {};
        return fmt::format("'{}' is not one of {}{}", value, fmt::join(known, ", "),
                           did_you_mean(value, known));
      },
      "What is to be done")
      ->required();
  verb.add_option("NAME", options->name, "The subscription, as status shows it");
  add_duration(verb, "--timeout", options->timeout, "How long to wait; 10s by default");
}

ExitCode usage(const Globals& globals, const std::string& text) {
  print_error(globals, fmt::format("{}\nsee: sluice {} --help", text, globals.verb));
  return ExitCode::kUsage;
}

ExitCode order(const Globals& globals, const OrderOptions& options, const std::string& verb,
               const Json& body, const std::string& done) {
  return ask_and_print(
      globals, options.timeout, verb, body,
      [&done](const Json& answer) {
        return fmt::format("{} ({})\n", done,
                           counted(count_of(answer, "subscriptions"), "subscription"));
      },
      [](const Json&) { return ExitCode::kOk; });
}

std::string rehearsals_text(const Json& answer) {
  Table table({"SUBSCRIPTION", "SHARD", "DELAY", "ENDS IN", "DELIVERED"});
  for (const Json& row : answer.value("rehearsals", Json::array())) {
    const auto time = [&row](const char* name) {
      return human_duration(std::chrono::milliseconds(row.value(name, std::int64_t{0})));
    };
    table.add({word(row, "subscription"), number(row, "shard"), time("delay_ms"),
               time("ends_in_ms"), number(row, "deliveries")});
  }
  return table.empty() ? "no rehearsals\n" : table.text();
}

ExitCode rehearse(const Globals& globals, const OrderOptions& options) {
  if (options.action == "ls") {
    return ask_and_print(globals, options.timeout, "rehearse.list", Json::object(), rehearsals_text,
                         [](const Json&) { return ExitCode::kOk; });
  }
  if (options.name.empty()) return usage(globals, options.action + " needs a NAME");
  Json body = {{"name", options.name}};
  if (options.action == "stop") {
    return order(globals, options, "rehearse.stop", body, "stopped: " + options.name);
  }
  if (options.delay.count() <= 0 || options.time.count() <= 0) {
    return usage(globals, "slow-subscriber needs --delay and --for");
  }
  body["delay_ms"] = whole_ms(options.delay);
  body["for_ms"] = whole_ms(options.time);
  return order(
      globals, options, "rehearse.slow", body,
      fmt::format("{} takes {} for each message, for {}; the broker ends it by itself",
                  options.name, human_duration(options.delay), human_duration(options.time)));
}

ExitCode subscription(const Globals& globals, const OrderOptions& options) {
  if (options.name.empty()) return usage(globals, options.action + " needs a NAME");
  const Json body = {{"name", options.name}};
  return order(globals, options, "subscription." + options.action, body,
               options.action + "d: " + options.name);
}

}  // namespace

void add_rehearse(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("rehearse", "Make a subscriber slow for a time, to see what happens");
  auto options = std::make_shared<OrderOptions>();
  add_action(*verb, options, "slow-subscriber|ls|stop", {"slow-subscriber", "ls", "stop"});
  add_duration(*verb, "--delay", options->delay, "What it takes for each message");
  add_duration(*verb, "--for", options->time, "When the broker ends the rehearsal");
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) { return rehearse(globals, *options); };
  });
}

void add_subscription(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("subscription", "Pause or resume a subscription");
  auto options = std::make_shared<OrderOptions>();
  add_action(*verb, options, "pause|resume", {"pause", "resume"});
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) {
      return subscription(globals, *options);
    };
  });
}

}  // namespace sluice::cli
