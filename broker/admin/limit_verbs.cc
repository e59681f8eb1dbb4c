#include "broker/admin/limit_verbs.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "broker/config/suggest.h"

namespace sluice::admin {
namespace {

using base::ErrorCode;
using Json = nlohmann::ordered_json;

constexpr std::int64_t kSimulationMsMax = 24LL * 3600 * 1000;
constexpr std::array<std::string_view, 4> kVerbs = {"limit.list", "limit.set", "limit.remove",
                                                    "limit.simulate"};

Answer refusal(ErrorCode code, const std::string& text) {
  const Json body = {{"error", text}};
  return {code, body.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

Answer refusal(const base::Error& error) { return refusal(error.code, error.detail); }

Json counts_json(const flow::LimitCounts& counts) {
  return {{"passed_messages", counts.passed_messages},
          {"passed_bytes", counts.passed_bytes},
          {"delayed_messages", counts.delayed_messages},
          {"refused_messages", counts.refused_messages},
          {"observed_messages", counts.observed_messages}};
}

Json row_json(const flow::LimitRow& row) {
  const model::LimitSpec& spec = row.spec;
  Json out;
  out["name"] = spec.name;
  out["level"] = model::name_of(spec.level);
  out["match"] = spec.match;
  out["direction"] = model::name_of(spec.direction);
  out["messages_per_second"] = spec.messages_per_second;
  out["bytes_per_second"] = spec.bytes_per_second;
  out["burst_messages"] = spec.messages_at_once();
  out["burst_bytes"] = spec.bytes_at_once();
  out["enforce"] = model::name_of(spec.enforce);
  out["set"] = row.configured ? "configuration" : "run time";
  if (row.ends_in) {
    out["ends_in_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(*row.ends_in).count();
  }
  out["buckets"] = row.buckets;
  out["counts"] = counts_json(row.counts);
  out["busiest"] = Json::array();
  for (const flow::BucketRow& bucket : row.busiest) {
    Json entry = {{"key", bucket.key}};
    if (bucket.messages_left) entry["messages_left"] = *bucket.messages_left;
    if (bucket.bytes_left) entry["bytes_left"] = *bucket.bytes_left;
    entry["counts"] = counts_json(bucket.counts);
    out["busiest"].push_back(std::move(entry));
  }
  return out;
}

std::string rows_text(const std::vector<flow::LimitRow>& rows) {
  Json list = Json::array();
  for (const flow::LimitRow& row : rows) list.push_back(row_json(row));
  const Json body = {{"limits", std::move(list)}};
  // Names come from clients: what is not UTF-8 is replaced rather than refused.
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::string> text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
  if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  return std::nullopt;
}

// The fields of `request` but for `for_ms`, stored in `spec`; what is wrong with them.
base::Status store_fields(const Json& request, model::LimitSpec& spec) {
  const std::vector<std::string> keys(model::kLimitFields.begin(), model::kLimitFields.end());
  for (const auto& [key, value] : request.items()) {
    if (key == "for_ms") continue;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      return base::fail(ErrorCode::kBadArgument,
                        "a limit has no field \"" + key + "\"" + config::did_you_mean(key, keys));
    }
    const std::optional<std::string> text = text_of(value);
    if (!text) {
      return base::fail(ErrorCode::kBadArgument, key + ": it must be a number or a text");
    }
    if (auto stored = model::assign_limit_field(spec, key, *text); !stored) {
      return base::fail(ErrorCode::kBadArgument, key + ": " + stored.error().detail);
    }
  }
  return {};
}

// How long a simulation may take; empty when that is missing or makes no sense.
std::optional<base::Duration> time_of(const Json& request) {
  const auto found = request.find("for_ms");
  if (found == request.end() || !found->is_number_integer()) return std::nullopt;
  const auto ms = found->get<std::int64_t>();
  if (ms < 1 || ms > kSimulationMsMax) return std::nullopt;
  return std::chrono::milliseconds(ms);
}

}  // namespace

Answer LimitVerbs::run(std::string_view verb, std::string_view body, base::MonotonicTime now,
                       std::size_t max_bytes) {
  if (registry_.expire(now)) changed_();
  const Json request = body.empty() ? Json::object() : Json::parse(body, nullptr, false);
  if (!request.is_object()) {
    return refusal(ErrorCode::kBadArgument, "the body is not a JSON object");
  }
  const auto name_field = request.find("name");
  const std::string name =
      name_field != request.end() ? text_of(*name_field).value_or("") : std::string();
  if (verb == "limit.list") {
    const auto buckets = request.find("buckets");
    const bool given = buckets != request.end() && buckets->is_number_unsigned();
    const std::size_t most = given ? buckets->get<std::size_t>() : 3;
    return list(name, std::min(most, kBucketsShown), now, max_bytes);
  }
  if (verb == "limit.remove") return remove(name, now);
  if (verb != "limit.set" && verb != "limit.simulate") {
    std::string known;
    for (const std::string_view other : kVerbs) known += " " + std::string(other);
    return refusal(ErrorCode::kBadArgument,
                   "unknown verb " + std::string(verb) + "; there are" + known);
  }
  const bool simulates = verb == "limit.simulate";
  model::LimitSpec spec;
  if (!simulates) spec = registry_.find(name).value_or(spec);
  if (auto stored = store_fields(request, spec); !stored) return refusal(stored.error());
  flow::LimitRegistry::Terms terms;
  if (simulates) {
    const std::optional<base::Duration> time = time_of(request);
    if (!time) {
      return refusal(ErrorCode::kBadArgument, "for_ms: it must be between 1 and " +
                                                  std::to_string(kSimulationMsMax) + ", a day");
    }
    terms.must_be_new = true;
    terms.ends_at = now + *time + kGrace;
    // What would be refused on the way out is refused as a setting, whatever it only observes.
    if (auto valid = model::check_limit(spec); !valid) return refusal(valid.error());
    spec.enforce = model::LimitEnforce::kObserve;
  }
  if (auto set = registry_.set(spec, now, terms); !set) return refusal(set.error());
  changed_();
  return list(name, 0, now, max_bytes);
}

Answer LimitVerbs::list(std::string_view name, std::size_t buckets, base::MonotonicTime now,
                        std::size_t max_bytes) const {
  for (;; buckets /= 2) {
    const std::vector<flow::LimitRow> rows = registry_.rows(name, buckets, now);
    if (!name.empty() && rows.empty()) {
      return refusal(ErrorCode::kUnknownLimit,
                     std::string(name) + config::did_you_mean(name, registry_.names()));
    }
    std::string text = rows_text(rows);
    if (text.size() <= max_bytes || buckets == 0) return {ErrorCode::kNone, std::move(text)};
  }
}

Answer LimitVerbs::remove(const std::string& name, base::MonotonicTime now) {
  const base::Result<flow::LimitRow> removed = registry_.remove(name, now);
  if (!removed) {
    return refusal(ErrorCode::kUnknownLimit, name + config::did_you_mean(name, registry_.names()));
  }
  changed_();
  return {ErrorCode::kNone, rows_text({*removed})};
}

}  // namespace sluice::admin
