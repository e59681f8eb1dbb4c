#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sluice/units.h>
#include <vector>

#include "cli/arguments.h"
#include "cli/report.h"
#include "cli/runtime.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

struct PingOptions {
  std::uint64_t count = 3;
  Duration interval = std::chrono::milliseconds(200);
  Duration timeout = std::chrono::seconds(5);
};

std::string human(Duration duration) { return human_duration(duration); }

Duration mean_of(const std::vector<Duration>& times) {
  const Duration sum = std::accumulate(times.begin(), times.end(), Duration{0});
  return sum / static_cast<Duration::rep>(times.size());
}

ExitCode print_times(const Globals& globals, const ServerInfo& server,
                     const std::vector<Duration>& times) {
  const auto [min, max] = std::minmax_element(times.begin(), times.end());
  if (!globals.json) {
    print_summary(globals, fmt::format("{} pings: min {}, mean {}, max {}", times.size(),
                                       human(*min), human(mean_of(times)), human(*max)));
    return ExitCode::kOk;
  }
  nlohmann::ordered_json out;
  out["node"] = server.node;
  out["version"] = server.version;
  out["address"] = server.address;
  out["rtt_ns"] = nlohmann::ordered_json::array();
  for (const Duration time : times) out["rtt_ns"].push_back(time.count());
  out["min_ns"] = min->count();
  out["mean_ns"] = mean_of(times).count();
  out["max_ns"] = max->count();
  return print(globals, out.dump() + '\n');
}

ExitCode ping(const Globals& globals, const PingOptions& options) {
  Runtime runtime(globals);
  auto client = runtime.connect(false);
  if (!client) return runtime.cannot_connect(client.error());
  const ServerInfo server = (*client)->server();
  std::vector<Duration> times;
  for (std::uint64_t i = 0; i < options.count; ++i) {
    if (i > 0) runtime.sleep(options.interval);
    async::CancelSource limit = runtime.until(options.timeout);
    auto time = runtime.wait((*client)->ping(limit.context()));
    if (!time && runtime.interrupt().is_interrupted() && !times.empty()) break;
    if (!time) return runtime.failed("ping", time.error());
    times.push_back(*time);
    if (globals.json) continue;
    const ExitCode printed = print(
        globals, fmt::format("pong from {} ({}): {}\n", server.node, server.address, human(*time)));
    if (printed != ExitCode::kOk) return printed;
  }
  const ExitCode printed = print_times(globals, server, times);
  return printed != ExitCode::kOk ? printed : runtime.interrupt().exit_code();
}

}  // namespace

void add_ping(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("ping", "Measure the time to the broker and back");
  auto options = std::make_shared<PingOptions>();
  add_count(*verb, "-n,--count", options->count, 1, "How many; 3 by default");
  add_pause(*verb, "--interval", options->interval, "Time between two; 200ms by default");
  add_duration(*verb, "--timeout", options->timeout, "How long to wait for each; 5s by default");
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) { return ping(globals, *options); };
  });
}

}  // namespace sluice::cli
