#include "cli/bench_result.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sluice/units.h>
#include <string_view>

#include "cli/outcome_text.h"
#include "cli/table.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Percentile {
  std::string_view name;
  double percent;
};
constexpr Percentile kPercentiles[] = {
    {"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"p99.99", 99.99}};

// The intended send time stands in the first eight bytes of each message.
constexpr std::uint64_t kSizeMin = 8;
constexpr std::uint64_t kSizeMax = 1U << 20;
constexpr std::uint64_t kConnectionsMax = 1000;

double per_second(std::uint64_t count, Duration elapsed) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::string latency_line(const Histogram& latency) {
  std::string line;
  for (const Percentile& at : kPercentiles) {
    const auto value = static_cast<Duration::rep>(latency.percentile(at.percent));
    line += fmt::format("{} {}, ", at.name, human_duration(Duration(value)));
  }
  const auto max = static_cast<Duration::rep>(latency.max());
  return line + "max " + human_duration(Duration(max));
}

Json latency_json(const Histogram& latency) {
  Json out;
  out["count"] = latency.count();
  out["min"] = latency.min();
  out["mean"] = latency.mean();
  for (const Percentile& at : kPercentiles) {
    out[std::string(at.name)] = latency.percentile(at.percent);
  }
  out["max"] = latency.max();
  return out;
}

}  // namespace

std::string_view bench_mode_name(BenchMode mode) noexcept {
  switch (mode) {
    case BenchMode::kPairs:
      return "1:1";
    case BenchMode::kFanOut:
      return "fanout";
    case BenchMode::kFanIn:
      return "fanin";
  }
  return {};
}

std::string complete(BenchOptions& options) {
  const bool out = options.mode == BenchMode::kFanOut;
  const bool in = options.mode == BenchMode::kFanIn;
  if (!out && !in && options.publishers != 0 && options.subscribers != 0 &&
      options.publishers != options.subscribers) {
    return "mode 1:1 has as many publishers as subscribers";
  }
  const std::uint64_t pairs = std::max(options.publishers, options.subscribers);
  const std::uint64_t fallback = out || in ? 0 : pairs;
  if (options.publishers == 0) options.publishers = in ? 10 : std::max<std::uint64_t>(fallback, 1);
  if (options.subscribers == 0) {
    options.subscribers = out ? 10 : std::max<std::uint64_t>(fallback, 1);
  }
  if (options.publishers + options.subscribers > kConnectionsMax) {
    return fmt::format("at most {} publishers and subscribers together", kConnectionsMax);
  }
  if (options.size_bytes < kSizeMin || options.size_bytes > kSizeMax) {
    return "--size: between 8B, which hold the time of sending, and 1MiB";
  }
  return {};
}

std::string bench_text(const BenchOptions& options, const BenchResult& result) {
  std::string out = fmt::format(
      "mode {}: publishers {}, subscribers {}, messages of {}, {}, overflow {}\n",
      bench_mode_name(options.mode), options.publishers, options.subscribers,
      format_size(options.size_bytes),
      options.rate == 0 ? "as fast as it goes" : fmt::format("{}/s", grouped(options.rate)),
      options.overflow);
  out += "published  " +
         volume_text(result.published.messages, result.published.bytes, result.publishing) + '\n';
  if (options.rate > 0) {
    out += fmt::format("offered    {} messages were due\n", grouped(result.offered));
  }
  out += "delivered  " + volume_text(result.delivered, result.delivered_bytes, result.delivering) +
         '\n';
  out += fmt::format(
      "receipts   {} of {} messages ok; copies: {} matched, {} accepted, {} dropped, "
      "{} rejected\n",
      grouped(result.published.ok), grouped(result.published.answered),
      grouped(result.published.matched), grouped(result.published.accepted),
      grouped(result.published.dropped), grouped(result.published.rejected));
  out += fmt::format("gaps       {}, {} missing\n", grouped(result.gaps), grouped(result.missing));
  out += "latency    " + latency_line(result.latency) + '\n';
  out += options.rate == 0
             ? "           (with full queues: give --rate for the time of one message)\n"
             : "           (from the time when each message was due)\n";
  return out;
}

std::string bench_json(const BenchOptions& options, const BenchResult& result) {
  Json out;
  out["mode"] = bench_mode_name(options.mode);
  out["publishers"] = options.publishers;
  out["subscribers"] = options.subscribers;
  out["size_bytes"] = options.size_bytes;
  out["rate"] = options.rate;
  out["overflow"] = options.overflow;
  out["published"] = {{"messages", result.published.messages},
                      {"bytes", result.published.bytes},
                      {"elapsed_ns", result.publishing.count()},
                      {"per_second", per_second(result.published.messages, result.publishing)}};
  out["offered"] = result.offered;
  out["delivered"] = {{"messages", result.delivered},
                      {"bytes", result.delivered_bytes},
                      {"elapsed_ns", result.delivering.count()},
                      {"per_second", per_second(result.delivered, result.delivering)}};
  out["receipts"] = {
      {"answered", result.published.answered}, {"ok", result.published.ok},
      {"matched", result.published.matched},   {"accepted", result.published.accepted},
      {"dropped", result.published.dropped},   {"rejected", result.published.rejected}};
  out["gaps"] = result.gaps;
  out["missing"] = result.missing;
  out["latency_ns"] = latency_json(result.latency);
  return out.dump();
}

}  // namespace sluice::cli
