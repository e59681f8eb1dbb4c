#include "broker/admin/status_json.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::admin {
namespace {

using Json = nlohmann::ordered_json;

// In the order of wire::GapReason.
constexpr std::array<std::string_view, 11> kReasons = {
    "dropped_oldest", "dropped_newest", "conflated", "expired",  "disconnected", "lagged",
    "too_large",      "rejected",       "cancelled", "squeezed", "spill_lost"};
static_assert(kReasons.size() == std::tuple_size_v<decltype(model::SubscriptionStatus::dropped)>);

// In the order of metrics::MemoryPart.
constexpr std::array<std::string_view, 8> kMemoryParts = {"process",       "batches",     "queues",
                                                          "subscriptions", "connections", "topics",
                                                          "mailboxes",     "history"};

Json subscription_json(const model::SubscriptionStatus& row) {
  Json dropped = Json::object();
  std::uint64_t dropped_total = 0;
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    dropped_total += row.dropped[i];
    if (row.dropped[i] != 0) dropped[std::string(kReasons[i])] = row.dropped[i];
  }
  Json out;
  out["name"] = row.name;
  out["shard"] = row.shard;
  out["client"] = row.client;
  out["group"] = row.group;
  out["members"] = row.members;
  out["filters"] = row.filters;
  out["overflow"] = row.overflow;
  out["max_messages"] = row.max_messages;
  out["max_bytes"] = row.max_bytes;
  out["max_lag_ns"] = row.max_lag_ns;
  out["limited_by"] = model::kLimitedByNames[static_cast<std::size_t>(row.limited_by)];
  out["held_bytes"] = row.held_bytes;
  out["lag_ns"] = row.lag_ns;
  out["credit"] = {{"messages", row.credit_messages}, {"bytes", row.credit_bytes}};
  out["ledger"] = {{"matched", row.matched},     {"delivered", row.delivered},
                   {"queued", row.queued},       {"in_flight", row.in_flight},
                   {"waiting", row.waiting},     {"spilled", row.spilled},
                   {"discarded", row.discarded}, {"dropped", dropped_total},
                   {"dropped_by", dropped},      {"imbalance", row.imbalance}};
  return out;
}

Json connection_json(const model::ConnectionStatus& row) {
  return {{"id", row.id},
          {"shard", row.shard},
          {"peer", row.peer},
          {"client", row.client},
          {"subscriptions", row.subscriptions},
          {"topics_open", row.topics_open},
          {"unsent_bytes", row.unsent_bytes},
          {"age_ms", row.age_ns / 1'000'000}};
}

Json memory_json(const MemoryStatus& memory) {
  Json parts;
  for (std::size_t i = 0; i < kMemoryParts.size(); ++i) {
    parts[std::string(kMemoryParts[i])] = memory.parts[i];
  }
  return {{"budget_bytes", memory.budget_bytes},
          {"used_bytes", memory.used_bytes},
          {"used_by", parts},
          {"pressure", memory.pressure},
          {"queue_ceiling_bytes", memory.ceiling_bytes}};
}

// Cuts a list to `share` of what it has, and by one at least.
template <typename Row>
bool cut(std::vector<Row>& rows, double share) {
  if (rows.empty()) return false;
  const auto kept = static_cast<std::size_t>(static_cast<double>(rows.size()) * share);
  rows.resize(std::min(kept, rows.size() - 1));
  return true;
}

}  // namespace

std::string status_json(NodeStatus&& status, std::size_t max_bytes) {
  for (;;) {
    std::string json = status_json(std::as_const(status));
    if (json.size() <= max_bytes) return json;
    const double share = static_cast<double>(max_bytes) / static_cast<double>(json.size());
    bool shorter = false;
    for (model::ShardStatus& shard : status.shards) {
      shorter |= cut(shard.subscription_list, share);
      shorter |= cut(shard.connection_list, share);
    }
    if (!shorter) return json;
  }
}

std::string status_json(const NodeStatus& status) {
  Json out;
  out["node"] = status.node;
  out["version"] = status.version;
  out["uptime_ms"] = status.uptime_ms;
  out["draining"] = status.draining;
  out["memory_budget_bytes"] = status.memory.budget_bytes;
  out["memory"] = memory_json(status.memory);
  out["shards"] = status.shards.size();
  std::uint64_t connections = 0;
  std::uint64_t topics = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t pending = 0;
  std::int64_t imbalance = 0;
  Json subscription_list = Json::array();
  Json connection_list = Json::array();
  for (const model::ShardStatus& shard : status.shards) {
    connections += shard.connections;
    // A topic is known to each shard that has met it: the largest number is nearest to the truth.
    topics = std::max(topics, shard.topics);
    subscriptions += shard.subscriptions;
    pending += shard.publishes_pending;
    imbalance += shard.ledger_imbalance;
    for (const auto& row : shard.subscription_list) {
      subscription_list.push_back(subscription_json(row));
    }
    for (const auto& row : shard.connection_list) {
      connection_list.push_back(connection_json(row));
    }
  }
  out["connections"] = connections;
  out["topics"] = topics;
  out["subscriptions"] = subscriptions;
  out["publishes_pending"] = pending;
  out["ledger_imbalance"] = imbalance;
  out["subscription_list"] = std::move(subscription_list);
  out["connection_list"] = std::move(connection_list);
  // Names come from clients: what is not UTF-8 is replaced rather than refused.
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::admin
