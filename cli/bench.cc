#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <memory>
#include <sluice/units.h>

#include "cli/arguments.h"
#include "cli/bench_run.h"
#include "cli/report.h"
#include "cli/suggest.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

std::string read_mode(const std::string& text, BenchMode& mode) {
  for (const BenchMode known : {BenchMode::kPairs, BenchMode::kFanOut, BenchMode::kFanIn}) {
    if (text != bench_mode_name(known)) continue;
    mode = known;
    return {};
  }
  return fmt::format("'{}' is not 1:1, fanout or fanin{}", text,
                     did_you_mean(text, {"1:1", "fanout", "fanin"}));
}

std::string read_seconds(const std::string& text, Duration& duration) {
  auto read = parse_duration(text + "s");
  if (!read || read->count() == 0) {
    return fmt::format("'{}' is not a number of seconds, such as 5 or 0.5", text);
  }
  duration = *read;
  return {};
}

ExitCode bench(const Globals& globals, BenchOptions options) {
  if (const std::string wrong = complete(options); !wrong.empty()) {
    print_error(globals, wrong + "\nsee: sluice bench --help");
    return ExitCode::kUsage;
  }
  Runtime runtime(globals);
  auto result = run_bench(runtime, options);
  if (!result) return runtime.failed("cannot measure", result.error());
  const ExitCode printed = print(
      globals, globals.json ? bench_json(options, *result) + '\n' : bench_text(options, *result));
  return printed != ExitCode::kOk ? printed : runtime.interrupt().exit_code();
}

}  // namespace

void add_bench(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("bench", "Measure throughput and latency of a broker");
  auto options = std::make_shared<BenchOptions>();
  add_value(
      *verb, "--mode", "1:1|fanout|fanin",
      [options](const std::string& value) { return read_mode(value, options->mode); },
      "Pairs with a topic each, one to many, or many to one; 1:1 by default");
  add_count(*verb, "--publishers", options->publishers, 1, "Connections that publish");
  add_count(*verb, "--subscribers", options->subscribers, 1, "Connections that subscribe");
  add_size(*verb, "--size", options->size_bytes, "Bytes of a payload; 128B by default");
  add_value(
      *verb, "--seconds", "N",
      [options](const std::string& value) { return read_seconds(value, options->duration); },
      "How long to publish; 5 by default");
  add_count(*verb, "--rate", options->rate, 1,
            "Messages per second of all publishers, each due at its time (open loop); as fast as "
            "it goes by default");
  verb->add_option("--overflow", options->overflow, "Ladder of the subscriptions")
      ->type_name("LADDER")
      ->capture_default_str();
  verb->callback([&invocation, options] {
    invocation.action = [options](const Globals& globals) { return bench(globals, *options); };
  });
}

}  // namespace sluice::cli
