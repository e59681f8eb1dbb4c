#include "broker/admin/control_json.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace sluice::admin {

using base::ErrorCode;
using base::fail;
using base::Result;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::uint64_t kMsMax = 1000ULL * 3600 * 24 * 365;

Result<base::Duration> milliseconds_of(const Json& body, const char* name) {
  const auto at = body.find(name);
  if (at == body.end() || !at->is_number_unsigned() || at->get<std::uint64_t>() == 0 ||
      at->get<std::uint64_t>() > kMsMax) {
    return fail(ErrorCode::kBadArgument, std::string(name) + " is not a count above 0");
  }
  return std::chrono::milliseconds(at->get<std::uint64_t>());
}

}  // namespace

Result<Order> parse_order(std::string_view verb, std::string_view body) {
  using Kind = Order::Kind;
  constexpr std::array<std::pair<std::string_view, Kind>, 5> kVerbs = {
      {{"rehearse.slow", Kind::kSlow},
       {"rehearse.stop", Kind::kStop},
       {"rehearse.list", Kind::kList},
       {"subscription.pause", Kind::kPause},
       {"subscription.resume", Kind::kResume}}};
  Order order;
  bool known = false;
  for (const auto& [name, kind] : kVerbs) {
    if (name != verb) continue;
    order.kind = kind;
    known = true;
  }
  if (!known) return fail(ErrorCode::kBadArgument, "no verb " + std::string(verb));
  if (order.kind == Kind::kList) return order;
  const Json parsed = Json::parse(body, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("name") || !parsed["name"].is_string()) {
    return fail(ErrorCode::kBadArgument, "the name of a subscription is wanted");
  }
  order.name = parsed["name"].get<std::string>();
  if (order.kind != Kind::kSlow) return order;
  const Result<base::Duration> delay = milliseconds_of(parsed, "delay_ms");
  if (!delay) return fail(delay.error());
  const Result<base::Duration> time = milliseconds_of(parsed, "for_ms");
  if (!time) return fail(time.error());
  order.delay = *delay;
  order.time = *time;
  return order;
}

std::string control_json(const std::vector<model::ControlResult>& results) {
  std::uint64_t subscriptions = 0;
  Json rows = Json::array();
  for (const model::ControlResult& result : results) {
    subscriptions += result.subscriptions;
    for (const model::RehearsalRow& row : result.rehearsals) {
      rows.push_back({{"subscription", row.subscription},
                      {"shard", row.shard},
                      {"delay_ms", row.delay_ns / 1'000'000},
                      {"ends_in_ms", row.ends_in_ns / 1'000'000},
                      {"deliveries", row.deliveries}});
    }
  }
  const Json out = {{"subscriptions", subscriptions}, {"rehearsals", rows}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::admin
