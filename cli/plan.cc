#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <sluice/units.h>
#include <sstream>
#include <thread>

#include "broker/config/plan_for.h"
#include "cli/arguments.h"
#include "cli/report.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxShards = 64;
constexpr std::uint64_t kAutomaticShardsMax = 16;  // as node.shards = 0 takes

std::string commented(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) out += "# " + line + '\n';
  return out;
}

std::string wish_text(const config::PlanWish& wish) {
  return fmt::format(
      "sluice plan --memory {} --subscriptions {} --message {} --connections {} "
      "--publishers {} --topics {} --shards {}",
      format_size(wish.memory), wish.subscriptions, format_size(wish.message), wish.connections,
      wish.publishers, wish.topics, wish.shards);
}

Json plan_json(const config::FittedPlan& plan) {
  Json lines = Json::array();
  for (const config::PlanLine& line : plan.lines) {
    lines.push_back({{"what", line.what}, {"arithmetic", line.arithmetic}, {"bytes", line.bytes}});
  }
  return {{"fits", plan.fits()},
          {"configuration", plan.fits() ? plan.fragment() : ""},
          {"lines", lines},
          {"sum_bytes", plan.sum},
          {"left_for_queues_bytes", plan.left},
          {"queued_message_bytes", plan.message_cost},
          {"queue_messages", plan.fits() ? plan.settings.subscription.queue_messages : 0},
          {"queue_bytes", plan.fits() ? plan.settings.subscription.queue_bytes : 0}};
}

ExitCode plan(const Globals& globals, config::PlanWish wish) {
  if (wish.connections == 0) wish.connections = wish.subscriptions + wish.publishers;
  const config::FittedPlan fitted = config::plan_for(wish);
  const ExitCode code = fitted.fits() ? ExitCode::kOk : ExitCode::kFailure;
  if (globals.json) {
    const ExitCode printed = print(globals, plan_json(fitted).dump() + '\n');
    return printed != ExitCode::kOk ? printed : code;
  }
  if (!fitted.fits()) {
    print_error(globals, "no configuration fits\n" + fitted.text());
    return code;
  }
  return print(globals, "# " + wish_text(wish) + "\n#\n" + commented(fitted.text()) + "\n" +
                            fitted.fragment());
}

}  // namespace

void add_plan(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("plan", "Print a configuration that fits so many clients into memory");
  auto wish = std::make_shared<config::PlanWish>();
  wish->shards =
      std::clamp<std::uint64_t>(std::thread::hardware_concurrency(), 1, kAutomaticShardsMax);
  add_size(*verb, "--memory", wish->memory, "Memory that the broker may use; 1GiB by default");
  add_count(*verb, "--subscriptions", wish->subscriptions, 1, "Subscriptions; 1000 by default");
  add_size(*verb, "--message", wish->message, "Size of a message; 1KiB by default");
  add_count(*verb, "--connections", wish->connections, 1,
            "Connections; by default one for each subscription and publisher");
  add_count(*verb, "--publishers", wish->publishers, 0, "Connections that publish; 10 by default");
  add_count(*verb, "--topics", wish->topics, 1, "Topics; 1000 by default");
  add_count(*verb, "--shards", wish->shards, 1, "Threads; by default one per core of this machine");
  verb->callback([&invocation, wish] {
    wish->shards = std::min(wish->shards, kMaxShards);
    wish->message = std::max<config::Size>(wish->message, 1);
    invocation.action = [wish](const Globals& globals) { return plan(globals, *wish); };
  });
}

}  // namespace sluice::cli
