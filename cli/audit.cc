#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <sluice/units.h>

#include "cli/admin_request.h"
#include "cli/arguments.h"
#include "cli/table.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

struct AuditOptions {
  std::string topic;
  Duration since{0};
  Duration timeout = std::chrono::seconds(10);
};

std::string ago(const Json& row, const char* name) {
  return human_duration(std::chrono::milliseconds(row.value(name, std::int64_t{0})));
}

std::vector<std::string> ledger_cells(const Json& row) {
  const Json ledger = row.value("ledger", row);
  const auto imbalance = ledger.value("imbalance", std::int64_t{0});
  return {number(ledger, "matched"),
          number(ledger, "delivered"),
          number(ledger, "queued"),
          number(ledger, "in_flight"),
          number(ledger, "waiting"),
          number(ledger, "spilled"),
          number(ledger, "dropped"),
          number(ledger, "discarded"),
          imbalance == 0 ? "ok" : fmt::format("off by {}", imbalance)};
}

std::string audit_text(const Json& answer) {
  Table table({"SUBSCRIPTION", "CLIENT", "FILTERS", "STATE", "MATCHED", "DELIVERED", "QUEUED",
               "IN FLIGHT", "WAITING", "SPILLED", "DROPPED", "DISCARDED", "BALANCE"});
  const auto add = [&table](std::vector<std::string> head, const Json& row) {
    const std::vector<std::string> cells = ledger_cells(row);
    head.insert(head.end(), cells.begin(), cells.end());
    table.add(std::move(head));
  };
  for (const Json& row : answer.value("rows", Json::array())) {
    const bool ended = row.value("state", std::string()) == "ended";
    const std::string state =
        ended ? fmt::format("{} {} ago", word(row, "why"), ago(row, "ended_ms_ago")) : "live";
    add({word(row, "name"), word(row, "client"), words(row, "filters"), state}, row);
  }
  const std::uint64_t live = count_of(answer, "subscriptions");
  const std::uint64_t ended = count_of(answer, "ended");
  add({fmt::format("sum of {}", live + ended), "", "", ""}, answer.value("sum", Json::object()));
  std::string out = table.text();
  out += fmt::format("\n{} live, {} ended", grouped(live), grouped(ended));
  if (const std::uint64_t forgotten = count_of(answer, "forgotten")) {
    out += fmt::format(" ({} more have ended and are forgotten)", grouped(forgotten));
  }
  const std::uint64_t unbalanced = count_of(answer, "unbalanced");
  out += unbalanced == 0 ? "; every ledger balances\n"
                         : fmt::format("; {} DO NOT BALANCE\n", grouped(unbalanced));
  if (answer.contains("late")) {
    out += fmt::format("of {} the history is shorter: the last begins {} ago\n",
                       counted(count_of(answer["late"], "rows"), "row"),
                       ago(answer["late"], "from_ms_ago"));
  }
  if (answer.value("truncated", false)) out += "(not all rows are shown; the sum is of all)\n";
  return out;
}

ExitCode audit(const Globals& globals, const AuditOptions& options) {
  Json body = Json::object();
  if (!options.topic.empty()) body["topic"] = options.topic;
  if (options.since.count() > 0) {
    body["since_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(options.since).count();
  }
  return ask_and_print(globals, options.timeout, "audit", body, audit_text, [](const Json& answer) {
    const bool balances = count_of(answer, "unbalanced") == 0;
    return balances ? ExitCode::kOk : ExitCode::kFailure;
  });
}

}  // namespace

void add_audit(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("audit", "Show where every message is, of live and ended subscriptions");
  auto options = std::make_shared<AuditOptions>();
  verb->add_option("--topic", options->topic, "Only subscriptions whose filters match this topic")
      ->type_name("TOPIC");
  add_duration(*verb, "--since", options->since, "Only what has changed since so long ago");
  add_duration(*verb, "--timeout", options->timeout, "How long to wait; 10s by default");
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) { return audit(globals, *options); };
  });
}

}  // namespace sluice::cli
