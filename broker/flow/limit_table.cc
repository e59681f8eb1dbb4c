#include "broker/flow/limit_table.h"

#include <algorithm>

#include "libs/wire/topic_name.h"

namespace sluice::flow {

using model::LimitLevel;

namespace {

bool matches(const model::LimitSpec& spec, const Subject& subject) {
  if (spec.match.empty()) return true;
  switch (spec.level) {
    case LimitLevel::kNode:
      return true;
    case LimitLevel::kListener:
      return spec.match == subject.listener;
    case LimitLevel::kUser:
      return spec.match == subject.user;
    case LimitLevel::kConnection:
      return spec.match == subject.client;
    case LimitLevel::kTopic:
      return wire::filter_matches(spec.match, subject.topic);
    case LimitLevel::kSubscription:
      return spec.match == subject.subscription;
  }
  return false;
}

std::string key_of(LimitLevel level, const Subject& subject) {
  switch (level) {
    case LimitLevel::kNode:
      return "node";
    case LimitLevel::kListener:
      return std::string(subject.listener);
    case LimitLevel::kUser:
      return std::string(subject.user);
    case LimitLevel::kConnection:
      return std::string(subject.connection);
    case LimitLevel::kTopic:
      return std::string(subject.topic);
    case LimitLevel::kSubscription:
      return std::string(subject.subscription_id);
  }
  return {};
}

template <typename Test>
const Limit* find_if(const std::vector<LimitRef>& limits, Test test) {
  const auto found = std::find_if(limits.begin(), limits.end(), test);
  return found == limits.end() ? nullptr : found->get();
}

}  // namespace

const Limit* LimitTable::find(std::uint32_t number) const {
  return find_if(limits, [&](const LimitRef& limit) { return limit->number == number; });
}

const Limit* LimitTable::find(std::string_view name) const {
  return find_if(limits, [&](const LimitRef& limit) { return limit->spec.name == name; });
}

bool LimitTable::has(LimitLevel level) const {
  return find_if(limits, [&](const LimitRef& limit) { return limit->spec.level == level; }) !=
         nullptr;
}

bool LimitTable::has(model::LimitDirection direction) const {
  return find_if(limits, [&](const LimitRef& limit) {
           return limit->spec.direction == direction;
         }) != nullptr;
}

void apply(const LimitTable& table, unsigned levels, const Subject& subject,
           base::MonotonicTime now, AppliedLimits& applied) {
  applied.version = table.version;
  applied.in.clear();
  applied.out.clear();
  for (const LimitRef& limit : table.limits) {
    const model::LimitSpec& spec = limit->spec;
    if ((levels & level_bit(spec.level)) == 0 || !matches(spec, subject)) continue;
    auto& list = spec.direction == model::LimitDirection::kIn ? applied.in : applied.out;
    list.push_back({limit, limit->buckets->get(key_of(spec.level, subject), now)});
  }
}

}  // namespace sluice::flow
