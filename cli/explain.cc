#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <sluice/units.h>

#include "cli/admin_request.h"
#include "cli/arguments.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

const std::vector<std::string> kKinds = {"subscription", "connection", "topic"};

struct ExplainOptions {
  std::string kind;
  std::string name;
  std::uint64_t limit = 20;
  Duration timeout = std::chrono::seconds(10);
};

std::string size_of(const Json& row, const char* name) {
  return human_size(static_cast<double>(count_of(row, name)));
}

std::string time_of(std::uint64_t milliseconds) {
  return human_duration(std::chrono::milliseconds(milliseconds));
}

std::string state_of(const Json& row) {
  const std::string which = word(row, "which");
  const std::string state = word(row, "state");
  if (!which.empty()) return fmt::format("{}({})", state, which);
  const std::string by = words(row, "blocked_by");
  return by.empty() ? state : fmt::format("{}({})", state, by);
}

// "waiting_credit 93.1 %, delivering 6.9 %"
std::string shares_of(const Json& times) {
  std::vector<std::pair<double, std::string>> shares;
  const Json recent = times.value("recent_share", Json::object());
  for (const auto& [state, share] : recent.items()) {
    shares.emplace_back(share.get<double>(), state);
  }
  std::sort(shares.rbegin(), shares.rend());
  std::string out;
  for (const auto& [share, state] : shares) {
    out += fmt::format("{}{} {:.1f} %", out.empty() ? "" : ", ", state, 100 * share);
  }
  return out.empty() ? "-" : out;
}

std::string totals_of(const Json& times) {
  std::string out;
  const Json total = times.value("total_ms", Json::object());
  for (const auto& [state, spent] : total.items()) {
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", state, time_of(spent));
  }
  return out.empty() ? "-" : out;
}

void add_times(std::string& out, const Json& row) {
  const Json times = row.value("times", Json::object());
  out +=
      fmt::format("  last {}: {}\n", time_of(count_of(times, "recent_span_ms")), shares_of(times));
  out += fmt::format("  in all: {}\n", totals_of(times));
}

void add_advice(std::string& out, const Json& row) {
  for (const Json& advice : row.value("advice", Json::array())) {
    out += fmt::format("  to change: {}\n", word(advice, "change"));
    const std::string cost = word(advice, "cost");
    if (!cost.empty()) out += fmt::format("    costs {}\n", cost);
  }
}

void add_subscription(std::string& out, const Json& row) {
  const std::string group = word(row, "group");
  out += fmt::format("subscription {}: {}\n", word(row, "name"), state_of(row));
  out += fmt::format("  {} {}, filters {}, overflow {}\n", group.empty() ? "of" : "shared by",
                     group.empty() ? word(row, "client") : number(row, "members"),
                     words(row, "filters"), word(row, "overflow"));
  out += fmt::format("  why: {}\n", word(row, "cause"));
  add_times(out, row);
  out += fmt::format("  queue: {} of {} messages, {} of {}, waiting for room {}, lag {}",
                     number(row, "queued"), number(row, "max_messages"), size_of(row, "held_bytes"),
                     size_of(row, "max_bytes"), number(row, "waiting"),
                     time_of(count_of(row, "lag_ms")));
  if (count_of(row, "spilled") > 0) out += fmt::format(", spilled {}", number(row, "spilled"));
  if (row.contains("drain_ms")) {
    out += fmt::format(", empty in {} at its pace", time_of(count_of(row, "drain_ms")));
  }
  const Json credit = row.value("credit", Json::object());
  out += fmt::format("\n  credit: {} messages, unsent {}\n", number(credit, "messages"),
                     size_of(row, "unsent_bytes"));
  add_advice(out, row);
}

void add_publisher(std::string& out, const Json& row) {
  const std::string topic = word(row, "topic");
  out +=
      fmt::format("publisher {} (connection {}) to {}: {}\n", word(row, "client"),
                  word(row, "connection"), topic.empty() ? "topics by name" : topic, state_of(row));
  if (const std::uint64_t waiting = count_of(row, "publishes_waiting")) {
    out += waiting == 1 ? "  1 batch of it waits for room\n"
                        : fmt::format("  {} batches of it wait for room\n", grouped(waiting));
  }
  out += fmt::format("  window: {} of {} on their way\n", size_of(row, "window_used_bytes"),
                     size_of(row, "window_bytes"));
  add_times(out, row);
  add_advice(out, row);
}

void add_connection(std::string& out, const Json& row) {
  out += fmt::format("connection {} of {} ({}): {}, {} open, {} unresolved, {} unsent{}{}\n",
                     word(row, "id"), word(row, "client"), word(row, "peer"),
                     counted(count_of(row, "subscriptions"), "subscription"),
                     counted(count_of(row, "topics_open"), "topic"),
                     number(row, "publishes_unresolved"), size_of(row, "unsent_bytes"),
                     row.value("output_paused", false) ? ", its socket takes no more" : "",
                     row.value("reading_paused", false) ? ", not read from" : "");
}

std::string explain_text(const Json& answer, const ExplainOptions& options) {
  std::string out;
  for (const Json& row : answer.value("connection_list", Json::array())) add_connection(out, row);
  for (const Json& row : answer.value("subscription_list", Json::array())) {
    add_subscription(out, row);
  }
  const std::uint64_t publishers = count_of(answer, "publishers");
  if (options.kind == "subscription") {
    out += publishers == 0 ? "no publisher waits for it\n"
                           : fmt::format("makes {} wait:\n", counted(publishers, "publisher"));
  }
  for (const Json& row : answer.value("publisher_list", Json::array())) add_publisher(out, row);
  if (answer.value("truncated", false)) {
    out += fmt::format("(shown in part: there are {}, {} and {})\n",
                       counted(count_of(answer, "subscriptions"), "subscription"),
                       counted(publishers, "publisher"),
                       counted(count_of(answer, "connections"), "connection"));
  }
  return out;
}

ExitCode explain(const Globals& globals, const ExplainOptions& options) {
  const Json body = {{"kind", options.kind}, {"name", options.name}, {"limit", options.limit}};
  return ask_and_print(
      globals, options.timeout, "explain", body,
      [&options](const Json& answer) { return explain_text(answer, options); },
      [](const Json&) { return ExitCode::kOk; });
}

}  // namespace

void add_explain(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("explain", "Say what limits whom, why, and what to change");
  auto options = std::make_shared<ExplainOptions>();
  add_value(
      *verb, "KIND", "subscription|connection|topic",
      [options](const std::string& value) -> std::string {
        options->kind = value;
        if (std::find(kKinds.begin(), kKinds.end(), value) != kKinds.end()) return {};
        return fmt::format("'{}' is not subscription, connection or topic{}", value,
                           did_you_mean(value, kKinds));
      },
      "What is to be explained")
      ->required();
  verb->add_option("NAME", options->name,
                   "Its name as status shows it; a connection by SHARD/ID or its client")
      ->required();
  add_count(*verb, "--limit", options->limit, 1, "Most rows of each kind and shard; 20 by default");
  add_duration(*verb, "--timeout", options->timeout, "How long to wait; 10s by default");
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) { return explain(globals, *options); };
  });
}

}  // namespace sluice::cli
