#include "broker/admin/inspection_json.h"

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>

#include "broker/admin/advice.h"

namespace sluice::admin {

using base::ErrorCode;
using base::fail;
using base::Result;
using Json = nlohmann::ordered_json;

namespace {

// In the order of wire::GapReason.
constexpr std::array<std::string_view, 11> kReasons = {
    "dropped_oldest", "dropped_newest", "conflated", "expired",  "disconnected", "lagged",
    "too_large",      "rejected",       "cancelled", "squeezed", "spill_lost"};
static_assert(kReasons.size() == std::tuple_size_v<decltype(model::SubscriptionStatus::dropped)>);

std::string_view reason_name(wire::GapReason reason) {
  return kReasons[static_cast<std::size_t>(reason) - 1];
}

std::string dumped(const Json& json) {
  // Names come from clients: what is not UTF-8 is replaced rather than refused.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::int64_t ms(std::int64_t ns) { return ns / 1'000'000; }

// The longest list of the answer, cut until the text is no longer than wanted.
std::string fitted(Json& out, std::initializer_list<const char*> lists, std::size_t max_bytes) {
  for (;;) {
    std::string text = dumped(out);
    if (text.size() <= max_bytes) return text;
    const char* longest = *lists.begin();
    for (const char* list : lists) {
      if (out[list].size() > out[longest].size()) longest = list;
    }
    if (out[longest].empty()) return text;
    auto& rows = out[longest].get_ref<Json::array_t&>();
    rows.resize(rows.size() / 2);
    out["truncated"] = true;
  }
}

Result<Json> object_of(std::string_view body) {
  if (body.empty()) return Json::object();
  Json parsed = Json::parse(body, nullptr, false);
  if (!parsed.is_object()) return fail(ErrorCode::kBadArgument, "the body is not a JSON object");
  return parsed;
}

bool read_text(const Json& body, const char* name, std::string& out) {
  const auto at = body.find(name);
  if (at == body.end()) return true;
  if (!at->is_string()) return false;
  out = at->get<std::string>();
  return true;
}

bool read_count(const Json& body, const char* name, std::uint64_t& out) {
  const auto at = body.find(name);
  if (at == body.end()) return true;
  if (!at->is_number_unsigned()) return false;
  out = at->get<std::uint64_t>();
  return true;
}

bool read_since(const Json& body, std::optional<base::Duration>& out) {
  constexpr std::uint64_t kMsMax = 1000ULL * 3600 * 24 * 365;
  std::uint64_t since = 0;
  if (!body.contains("since_ms")) return true;
  if (!read_count(body, "since_ms", since)) return false;
  out = std::chrono::milliseconds(std::min(since, kMsMax));
  return true;
}

auto wrong(std::string_view what) { return fail(ErrorCode::kBadArgument, std::string(what)); }

std::size_t limit_of(std::uint64_t limit) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(limit, kRowsMax));
}

Json ledger_json(const model::LedgerRow& row) {
  Json dropped = Json::object();
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    if (row.dropped[i] != 0) dropped[std::string(kReasons[i])] = row.dropped[i];
  }
  return {{"matched", row.matched},      {"delivered", row.delivered},     {"queued", row.queued},
          {"in_flight", row.in_flight},  {"waiting", row.waiting},         {"spilled", row.spilled},
          {"discarded", row.discarded},  {"dropped", row.dropped_total()}, {"dropped_by", dropped},
          {"imbalance", row.imbalance()}};
}

Json account_json(const model::Account& row) {
  Json out;
  out["name"] = row.name;
  out["shard"] = row.shard;
  out["client"] = row.client;
  out["group"] = row.group;
  out["filters"] = row.filters;
  out["filter_count"] = row.filter_count;
  out["overflow"] = row.overflow;
  out["state"] = row.ended ? "ended" : "live";
  out["why"] = row.why;
  out["began_ms_ago"] = ms(row.began_ns);
  if (row.ended) out["ended_ms_ago"] = ms(row.ended_ns);
  out["from_ms_ago"] = ms(row.from_ns);
  out["ledger"] = ledger_json(row.ledger);
  return out;
}

Json drop_json(const model::DropRow& row, base::WallTime now) {
  const auto at = [now](std::int64_t ago) { return base::to_wire(now - base::Duration(ago)); };
  Json out;
  out["shard"] = row.shard;
  out["number"] = row.number;
  out["at_ns"] = at(row.began_ns);
  out["last_at_ns"] = at(row.last_ns);
  out["subscription"] = row.subscription;
  out["client"] = row.client;
  out["topic"] = row.topic;
  out["reason"] = reason_name(row.reason);
  out["publisher"] = row.publisher;
  out["publisher_connection"] =
      row.publisher_connection == 0
          ? std::string()
          : std::to_string(row.publisher_shard) + "/" + std::to_string(row.publisher_connection);
  out["first_sequence"] = row.first;
  out["last_sequence"] = row.last;
  out["count"] = row.count;
  out["bytes"] = row.bytes;
  return out;
}

Json times_json(const model::LimitedByTimes& times) {
  Json share = Json::object();
  Json total = Json::object();
  for (std::size_t i = 0; i < model::kLimitedByCount; ++i) {
    const std::string name(model::kLimitedByNames[i]);
    if (times.recent_ms[i] != 0) share[name] = times.share(static_cast<model::LimitedBy>(i));
    if (times.total_ms[i] != 0) total[name] = times.total_ms[i];
  }
  return {{"recent_span_ms", times.recent_span_ms()}, {"recent_share", share}, {"total_ms", total}};
}

Json advice_json(const std::vector<Advice>& advice) {
  Json out = Json::array();
  for (const Advice& one : advice) out.push_back({{"change", one.change}, {"cost", one.cost}});
  return out;
}

std::string_view state_name(model::LimitedBy state) {
  return model::kLimitedByNames[static_cast<std::size_t>(state)];
}

Json subscription_json(const model::SubscriptionExplanation& row) {
  const model::SubscriptionStatus& status = row.status;
  Json out;
  out["name"] = status.name;
  out["shard"] = status.shard;
  out["client"] = status.client;
  out["group"] = status.group;
  out["members"] = status.members;
  out["filters"] = status.filters;
  out["state"] = state_name(row.state);
  out["which"] = row.which;
  out["cause"] = cause_of(row);
  out["times"] = times_json(row.times);
  out["overflow"] = status.overflow;
  out["queued"] = status.queued;
  out["in_flight"] = status.in_flight;
  out["waiting"] = status.waiting;
  out["spilled"] = status.spilled;
  out["max_messages"] = status.max_messages;
  out["held_bytes"] = status.held_bytes;
  out["max_bytes"] = status.max_bytes;
  out["lag_ms"] = status.lag_ns / 1'000'000;
  if (row.drain && *row.drain < std::chrono::hours(24 * 365)) {
    out["drain_ms"] = ms(row.drain->count());
  }
  out["credit"] = {{"messages", status.credit_messages}, {"bytes", status.credit_bytes}};
  out["unsent_bytes"] = row.unsent_bytes;
  out["advice"] = advice_json(advice_for(row));
  return out;
}

Json publisher_json(const model::PublisherExplanation& row) {
  Json out;
  out["client"] = row.client;
  out["peer"] = row.peer;
  out["connection"] = std::to_string(row.shard) + "/" + std::to_string(row.connection);
  out["topic"] = row.topic;
  out["state"] = state_name(row.state);
  out["which"] = row.which;
  out["blocked_by"] = row.blocked_by;
  out["publishes_waiting"] = row.publishes_waiting;
  out["times"] = times_json(row.times);
  out["window_bytes"] = row.window_bytes;
  out["window_used_bytes"] = row.window_used_bytes;
  out["advice"] = advice_json(advice_for(row));
  return out;
}

Json connection_json(const model::ConnectionExplanation& row) {
  return {{"id", std::to_string(row.status.shard) + "/" + std::to_string(row.status.id)},
          {"client", row.status.client},
          {"peer", row.status.peer},
          {"subscriptions", row.status.subscriptions},
          {"topics_open", row.status.topics_open},
          {"unsent_bytes", row.status.unsent_bytes},
          {"output_paused", row.output_paused},
          {"reading_paused", row.reading_paused},
          {"publishes_unresolved", row.publishes_unresolved},
          {"age_ms", row.status.age_ns / 1'000'000}};
}

}  // namespace

std::string error_json(std::string_view text) { return dumped({{"error", text}}); }

Result<model::AccountQuery> parse_audit(std::string_view body) {
  Result<Json> json = object_of(body);
  if (!json) return fail(json.error());
  model::AccountQuery query;
  std::uint64_t limit = kRowsMax;
  if (!read_text(*json, "topic", query.topic)) return wrong("topic is not a text");
  if (!read_since(*json, query.since)) return wrong("since_ms is not a count");
  if (!read_count(*json, "limit", limit)) return wrong("limit is not a count");
  query.limit = limit_of(limit);
  return query;
}

Result<model::DropQuery> parse_drops(std::string_view body) {
  Result<Json> json = object_of(body);
  if (!json) return fail(json.error());
  model::DropQuery query;
  std::string reason;
  std::uint64_t limit = kRowsMax;
  if (!read_text(*json, "reason", reason)) return wrong("reason is not a text");
  if (!read_since(*json, query.since)) return wrong("since_ms is not a count");
  if (!read_count(*json, "limit", limit)) return wrong("limit is not a count");
  query.limit = std::max<std::size_t>(1, limit_of(limit));
  if (json->contains("closed")) {
    if (!(*json)["closed"].is_boolean()) return wrong("closed is not true or false");
    query.only_closed = (*json)["closed"].get<bool>();
  }
  if (json->contains("after")) {
    const Json& after = (*json)["after"];
    const bool counts = after.is_array() && after.size() <= 64 &&
                        std::all_of(after.begin(), after.end(),
                                    [](const Json& one) { return one.is_number_unsigned(); });
    if (!counts) return wrong("after is not a list of counts");
    for (const Json& one : after) query.after.push_back(one.get<std::uint64_t>());
  }
  if (!reason.empty()) {
    const auto known = std::find(kReasons.begin(), kReasons.end(), reason);
    if (known == kReasons.end()) return wrong("no reason of that name: " + reason);
    query.reason = static_cast<wire::GapReason>(known - kReasons.begin() + 1);
  }
  return query;
}

Result<model::ExplainQuery> parse_explain(std::string_view body) {
  Result<Json> json = object_of(body);
  if (!json) return fail(json.error());
  model::ExplainQuery query;
  std::string kind;
  std::uint64_t limit = 20;
  if (!read_text(*json, "kind", kind)) return wrong("kind is not a text");
  if (!read_text(*json, "name", query.name)) return wrong("name is not a text");
  if (!read_count(*json, "limit", limit)) return wrong("limit is not a count");
  query.limit = limit_of(limit);
  if (kind == "subscription") {
    query.kind = model::ExplainKind::kSubscription;
  } else if (kind == "connection") {
    query.kind = model::ExplainKind::kConnection;
  } else if (kind == "topic") {
    query.kind = model::ExplainKind::kTopic;
  } else {
    return wrong("kind is subscription, connection or topic");
  }
  if (query.name.empty()) return wrong("a name is wanted");
  return query;
}

std::string audit_json(std::vector<model::AccountPage>&& pages, const model::AccountQuery& query,
                       std::size_t max_bytes) {
  Json out;
  model::AccountPage all;
  Json rows = Json::array();
  for (model::AccountPage& page : pages) {
    all.sum.add(page.sum, +1);
    all.subscriptions += page.subscriptions;
    all.ended += page.ended;
    all.forgotten += page.forgotten;
    all.unbalanced += page.unbalanced;
    if (page.late != 0) {
      all.late_from_ns =
          all.late == 0 ? page.late_from_ns : std::min(all.late_from_ns, page.late_from_ns);
      all.late += page.late;
    }
    for (const model::Account& row : page.rows) rows.push_back(account_json(row));
  }
  out["subscriptions"] = all.subscriptions;
  out["ended"] = all.ended;
  out["forgotten"] = all.forgotten;
  out["unbalanced"] = all.unbalanced;
  if (query.since) out["since_ms"] = ms(query.since->count());
  if (all.late != 0) out["late"] = {{"rows", all.late}, {"from_ms_ago", ms(all.late_from_ns)}};
  out["sum"] = ledger_json(all.sum);
  out["truncated"] = rows.size() < all.subscriptions + all.ended;
  out["rows"] = std::move(rows);
  return fitted(out, {"rows"}, max_bytes);
}

// Without cutting: a reader goes on where the page says, so a page is made to fit by its rows.
std::string drops_json(std::vector<model::DropPage>&& pages, base::WallTime now,
                       std::size_t max_bytes) {
  std::sort(pages.begin(), pages.end(),
            [](const auto& a, const auto& b) { return a.shard < b.shard; });
  for (;;) {
    Json out;
    std::uint64_t missed = 0;
    bool more = false;
    std::vector<const model::DropRow*> rows;
    out["next"] = Json::array();
    for (const model::DropPage& page : pages) {
      out["next"].push_back(page.next);
      missed += page.missed;
      more |= page.more;
      for (const model::DropRow& row : page.rows) rows.push_back(&row);
    }
    std::sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) {
      if (a->began_ns != b->began_ns) return a->began_ns > b->began_ns;
      return std::less<>()(a, b);  // of one page: in its order
    });
    out["missed"] = missed;
    out["more"] = more;
    out["rows"] = Json::array();
    for (const model::DropRow* row : rows) out["rows"].push_back(drop_json(*row, now));
    std::string text = dumped(out);
    if (text.size() <= max_bytes || rows.empty()) return text;
    for (model::DropPage& page : pages) {
      if (page.rows.empty()) continue;
      page.next = page.rows[page.rows.size() / 2].number - 1;
      page.rows.resize(page.rows.size() / 2);
      page.more = true;
    }
  }
}

std::string explain_json(std::vector<model::Explanation>&& parts, const model::ExplainQuery&,
                         std::size_t max_bytes) {
  Json out;
  std::uint64_t subscriptions = 0;
  std::uint64_t publishers = 0;
  std::uint64_t connections = 0;
  out["subscription_list"] = Json::array();
  out["publisher_list"] = Json::array();
  out["connection_list"] = Json::array();
  for (const model::Explanation& part : parts) {
    subscriptions += part.subscription_count;
    publishers += part.publisher_count;
    connections += part.connection_count;
    for (const auto& row : part.subscriptions) {
      out["subscription_list"].push_back(subscription_json(row));
    }
    for (const auto& row : part.publishers) out["publisher_list"].push_back(publisher_json(row));
    for (const auto& row : part.connections) {
      out["connection_list"].push_back(connection_json(row));
    }
  }
  out["subscriptions"] = subscriptions;
  out["publishers"] = publishers;
  out["connections"] = connections;
  out["truncated"] = out["subscription_list"].size() < subscriptions ||
                     out["publisher_list"].size() < publishers ||
                     out["connection_list"].size() < connections;
  return fitted(out, {"subscription_list", "publisher_list", "connection_list"}, max_bytes);
}

}  // namespace sluice::admin
