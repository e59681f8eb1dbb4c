#include "tests/bench/overload/account.h"

#include "tests/bench/load/json_object.h"

namespace sluice::bench {
namespace {

double seconds_between(const Moment& a, const Moment& b) {
  return static_cast<double>(b.at_ns - a.at_ns) / 1e9;
}

double per_second(std::uint64_t a, std::uint64_t b, double seconds) {
  return seconds > 0 ? static_cast<double>(b - a) / seconds : 0;
}

std::string counts_json(const std::map<std::string, std::uint64_t>& counts) {
  std::string text = "{";
  for (const auto& [name, count] : counts) {
    text += (text.size() > 1 ? "," : "") + json_text(name) + ":" + std::to_string(count);
  }
  return text + "}";
}

std::string group_json(const Account& account, std::size_t index) {
  const GroupAccount& group = account.groups[index];
  const Moment& a = account.window_begin;
  const Moment& b = account.window_end;
  const double all = per_second(a.delivered[index], b.delivered[index], seconds_between(a, b));
  const auto us = [&](double percent) {
    return static_cast<double>(group.latency.percentile(percent)) / 1e3;
  };
  JsonObject json;
  json.add("readers", std::uint64_t{group.readers});
  json.add("per_reader_per_s", group.readers > 0 ? all / group.readers : 0.0);
  json.add("latency_count", group.latency.count());
  json.add("p50_us", us(50));
  json.add("p90_us", us(90));
  json.add("p99_us", us(99));
  json.add("p999_us", us(99.9));
  json.add("max_us", static_cast<double>(group.latency.max()) / 1e3);
  json.add("delivered", group.sum.messages);
  json.add("gap_frames", group.sum.gap_frames);
  json.add("lost_and_told", group.sum.lost);
  json.add("missing", group.missing);
  json.add("holes_untold", group.sum.untold);
  json.add("misplaced", group.sum.misplaced);
  json.add("closed", std::uint64_t{group.closed});
  json.add_raw("told", counts_json(group.told));
  return json.finish();
}

void add_scenario(JsonObject& json, const Scenario& scenario) {
  const Work& work = scenario.work;
  json.add("peer", work.peer);
  json.add("healthy_readers", std::uint64_t{scenario.healthy});
  json.add("stalled_readers", std::uint64_t{scenario.stalled});
  json.add("other_readers", std::uint64_t{scenario.other});
  json.add("payload_bytes", std::uint64_t{work.payload_bytes});
  json.add("rate_wanted", work.rate);
  if (work.peer != "sluice") return;
  json.add("overflow", work.overflow);
  json.add("queue_messages", work.queue_messages);
  json.add("queue_bytes", work.queue_bytes);
}

void add_slow(JsonObject& json, const Scenario& scenario, const Account& account) {
  if (!(scenario.slow_seconds > 0)) return;
  const Moment& a = account.slow_begin;
  const Moment& b = account.slow_end;
  const double seconds = seconds_between(a, b);
  constexpr auto kStalled = static_cast<std::size_t>(Group::kStalled);
  const double all = per_second(a.delivered[kStalled], b.delivered[kStalled], seconds);
  json.add("slow_sent_per_s", per_second(a.sent[0], b.sent[0], seconds));
  json.add("slow_other_sent_per_s", per_second(a.sent[1], b.sent[1], seconds));
  json.add("slow_stalled_per_reader_per_s", scenario.stalled > 0 ? all / scenario.stalled : 0.0);
}

}  // namespace

std::string to_json(const Scenario& scenario, const Account& account) {
  const Moment& a = account.window_begin;
  const Moment& b = account.window_end;
  const double seconds = seconds_between(a, b);
  JsonObject json;
  add_scenario(json, scenario);
  json.add("window_seconds", seconds);
  json.add("sent", account.end.sent[0]);
  json.add("other_sent", account.end.sent[1]);
  json.add("sent_per_s", per_second(a.sent[0], b.sent[0], seconds));
  json.add("other_sent_per_s", per_second(a.sent[1], b.sent[1], seconds));
  json.add("unsent_at_window_end", b.unsent[0]);
  json.add("other_unsent_at_window_end", b.unsent[1]);
  add_slow(json, scenario, account);
  json.add("broker_busy", (b.broker.cpu_seconds - a.broker.cpu_seconds) / seconds);
  json.add("generator_busy", (b.generator.cpu_seconds - a.generator.cpu_seconds) / seconds);
  json.add("rss_before_kib", account.stalled.broker.rss_kib);
  json.add("rss_window_kib", b.broker.rss_kib);
  json.add("rss_peak_kib", account.end.broker.peak_kib);
  json.add("rss_end_kib", account.end.broker.rss_kib);
  for (std::size_t i = 0; i < kGroups; ++i) json.add_raw(kGroupNames[i], group_json(account, i));
  json.add_raw("answers", counts_json(account.answers));
  json.add_raw("publisher_over", json_text(account.publisher_over));
  json.add("settled", account.settled);
  return json.finish();
}

}  // namespace sluice::bench
