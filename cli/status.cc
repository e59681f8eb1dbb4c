#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <sluice/units.h>

#include "cli/admin_request.h"
#include "cli/arguments.h"
#include "cli/json_text.h"
#include "cli/table.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

struct StatusOptions {
  bool connections = false;
  Duration timeout = std::chrono::seconds(10);
};

std::string size_of(const Json& row, const char* name) {
  return human_size(static_cast<double>(count_of(row, name)));
}

std::string filters_of(const Json& row) {
  std::string all;
  for (const Json& filter : row.value("filters", Json::array())) {
    if (!all.empty()) all += ' ';
    append_escaped(all, filter.get<std::string>());
  }
  constexpr std::size_t kWidth = 40;
  return all.size() <= kWidth ? all : all.substr(0, kWidth - 1) + "…";
}

// Who has it: the subscription's own name, else the client's.
std::string owner_of(const Json& row) {
  const std::string name = word(row, "name");
  const std::string group = word(row, "group");
  if (!group.empty()) {
    return fmt::format("{} shared by {}", name.empty() ? group : name, number(row, "members"));
  }
  return name.empty() ? word(row, "client") : name;
}

std::string subscriptions_table(const Json& rows) {
  Table table({"SUBSCRIPTION", "FILTERS", "OVERFLOW", "MATCHED", "DELIVERED", "QUEUED", "IN FLIGHT",
               "WAITING", "SPILLED", "DROPPED", "DISCARDED", "BALANCE"});
  for (const Json& row : rows) {
    const Json ledger = row.value("ledger", Json::object());
    const std::int64_t imbalance = ledger.value("imbalance", std::int64_t{0});
    table.add({owner_of(row), filters_of(row), word(row, "overflow"), number(ledger, "matched"),
               number(ledger, "delivered"), number(ledger, "queued"), number(ledger, "in_flight"),
               number(ledger, "waiting"), number(ledger, "spilled"), number(ledger, "dropped"),
               number(ledger, "discarded"),
               imbalance == 0 ? "ok" : fmt::format("off by {}", imbalance)});
  }
  return table.empty() ? "no subscriptions\n" : table.text();
}

std::string connections_table(const Json& rows) {
  Table table(
      {"CONNECTION", "SHARD", "PEER", "CLIENT", "SUBSCRIPTIONS", "TOPICS", "UNSENT", "AGE"});
  for (const Json& row : rows) {
    const auto age = std::chrono::milliseconds(row.value("age_ms", std::int64_t{0}));
    table.add({std::to_string(count_of(row, "id")), number(row, "shard"), word(row, "peer"),
               word(row, "client"), number(row, "subscriptions"), number(row, "topics_open"),
               size_of(row, "unsent_bytes"), human_duration(age)});
  }
  return table.empty() ? "no connections\n" : table.text();
}

// "memory: 34.1 MiB of 1 GiB used, pressure 0 of 255", and what queues are held to when it is
// short.
std::string memory_line(const Json& status) {
  const Json memory = status.value("memory", Json::object());
  if (memory.empty()) return {};
  const std::string ceiling =
      count_of(memory, "queue_ceiling_bytes") == 0
          ? ""
          : fmt::format(", queues are held to {} each", size_of(memory, "queue_ceiling_bytes"));
  return fmt::format("memory: {} of {} used, pressure {} of 255{}\n", size_of(memory, "used_bytes"),
                     size_of(memory, "budget_bytes"), number(memory, "pressure"), ceiling);
}

std::string status_text(const Json& status, bool connections) {
  const auto uptime = std::chrono::milliseconds(status.value("uptime_ms", std::int64_t{0}));
  const std::int64_t imbalance = status.value("ledger_imbalance", std::int64_t{0});
  const auto of = [&status](const char* noun, const char* name) {
    return counted(count_of(status, name), noun);
  };
  std::string out = fmt::format(
      "node {}, sluiced {}, up {}{}\n"
      "{}, {}, {}, {}, {} publishes pending\n"
      "{}ledger: {}\n\n",
      word(status, "node"), word(status, "version"), human_duration(uptime),
      status.value("draining", false) ? ", draining" : "", of("shard", "shards"),
      of("connection", "connections"), of("topic", "topics"), of("subscription", "subscriptions"),
      number(status, "publishes_pending"), memory_line(status),
      imbalance == 0 ? "balanced" : fmt::format("off by {} messages", imbalance));
  const Json rows = status.value("subscription_list", Json::array());
  out += subscriptions_table(rows);
  if (rows.size() < count_of(status, "subscriptions")) {
    out += fmt::format("({} of {} subscriptions are shown)\n", rows.size(),
                       number(status, "subscriptions"));
  }
  if (connections) out += '\n' + connections_table(status.value("connection_list", Json::array()));
  return out;
}

ExitCode status(const Globals& globals, const StatusOptions& options) {
  return ask_and_print(
      globals, options.timeout, "status", Json::object(),
      [&options](const Json& answer) { return status_text(answer, options.connections); },
      [](const Json&) { return ExitCode::kOk; });
}

}  // namespace

void add_status(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("status", "Show the node and the ledger of each subscription");
  auto options = std::make_shared<StatusOptions>();
  verb->add_flag("--connections", options->connections, "Show the connections as well");
  add_duration(*verb, "--timeout", options->timeout, "How long to wait; 10s by default");
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) { return status(globals, *options); };
  });
}

}  // namespace sluice::cli
