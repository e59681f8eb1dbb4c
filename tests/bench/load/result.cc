#include "tests/bench/load/result.h"

#include <algorithm>

#include "tests/bench/load/json_object.h"
#include "tests/bench/load/socket.h"

namespace sluice::bench {
namespace {

void add_work(JsonObject& json, const Work& work) {
  json.add("peer", work.peer);
  json.add("shape", std::to_string(work.publishers) + ":" + std::to_string(work.subscribers));
  json.add("topics", std::uint64_t{work.topics});
  json.add("payload_bytes", std::uint64_t{work.payload_bytes});
  json.add("rate_wanted", work.rate);
  if (work.peer == "sluice") {
    json.add("messages_per_frame", std::uint64_t{work.messages_per_frame});
    json.add("frame_bytes", std::uint64_t{work.frame_bytes});
    json.add("overflow", work.overflow);
    json.add("receipts", std::string("every publish"));
  }
}

void add_latency(JsonObject& json, const Histogram& latency) {
  const auto us = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e3; };
  json.add("latency_count", latency.count());
  json.add("p50_us", us(latency.percentile(50)));
  json.add("p90_us", us(latency.percentile(90)));
  json.add("p99_us", us(latency.percentile(99)));
  json.add("p999_us", us(latency.percentile(99.9)));
  json.add("max_us", us(latency.max()));
}

}  // namespace

Snapshot snapshot(int broker_pid, const Totals& totals) {
  return {.at_ns = now_ns(),
          .totals = totals,
          .broker = broker_pid == 0 ? Usage{} : usage_of(broker_pid),
          .generator = usage_of(0)};
}

std::string to_json(const Work& work, const Outcome& outcome) {
  const Snapshot& a = outcome.before;
  const Snapshot& b = outcome.after;
  const double seconds = static_cast<double>(b.at_ns - a.at_ns) / 1e9;
  const auto delivered = static_cast<double>(b.totals.delivered - a.totals.delivered);
  const double broker_cpu = b.broker.cpu_seconds - a.broker.cpu_seconds;
  const double generator_cpu = b.generator.cpu_seconds - a.generator.cpu_seconds;
  const Totals& end = outcome.final;
  const std::uint64_t arrived = std::min(end.delivered, outcome.expected);
  JsonObject json;
  add_work(json, work);
  json.add("seconds", seconds);
  json.add("messages_per_s", delivered / seconds);
  json.add("payload_mb_per_s", delivered * work.payload_bytes / seconds / 1e6);
  json.add("broker_cpu_s_per_million", delivered > 0 ? broker_cpu / delivered * 1e6 : 0.0);
  json.add("broker_busy", broker_cpu / seconds);
  json.add("generator_busy", generator_cpu / seconds);
  json.add("broker_rss_kib", b.broker.rss_kib);
  json.add("broker_peak_kib", b.broker.peak_kib);
  json.add("sent", end.sent);
  json.add("delivered", end.delivered);
  json.add("expected", outcome.expected);
  json.add("lost", outcome.expected - arrived);
  json.add("gap_frames", end.gap_frames);
  json.add("gap_messages", end.gap_messages);
  json.add("misplaced", end.misplaced);
  json.add("frames", end.frames);
  json.add("receipts_seen", end.receipts);
  json.add("refused", end.refused);
  json.add("settled", outcome.settled);
  if (work.timed()) add_latency(json, outcome.latency);
  return json.finish();
}

}  // namespace sluice::bench
