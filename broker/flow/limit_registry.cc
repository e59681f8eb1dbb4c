#include "broker/flow/limit_registry.h"

#include <algorithm>
#include <utility>

namespace sluice::flow {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;

namespace {

// Whether buckets of the one can go on as buckets of the other.
bool counts_the_same(const model::LimitSpec& a, const model::LimitSpec& b) {
  return a.level == b.level && a.match == b.match && a.direction == b.direction &&
         (a.messages_per_second == 0) == (b.messages_per_second == 0) &&
         (a.bytes_per_second == 0) == (b.bytes_per_second == 0);
}

LimitRow row_of(const Limit& limit, std::size_t buckets, base::MonotonicTime now) {
  LimitRow row;
  row.spec = limit.spec;
  row.configured = limit.configured;
  if (limit.ends_at != base::kNever) {
    row.ends_in = std::max(base::Duration(0), limit.ends_at - now);
  }
  row.buckets = limit.buckets->size();
  row.counts = limit.buckets->totals();
  for (const BucketRef& bucket : limit.buckets->busiest(buckets)) {
    row.busiest.push_back(
        {bucket->key(), bucket->messages_left(now), bucket->bytes_left(now), bucket->counts()});
  }
  return row;
}

}  // namespace

Status LimitRegistry::set(const model::LimitSpec& spec, base::MonotonicTime now,
                          const Terms& terms) {
  if (Status valid = model::check_limit(spec); !valid) return valid;
  const std::lock_guard lock(mutex_);
  std::vector<LimitRef> limits;
  if (table_ != nullptr) limits = table_->limits;
  const auto place = std::find_if(limits.begin(), limits.end(), [&](const LimitRef& limit) {
    return limit->spec.name == spec.name;
  });
  auto limit = std::make_shared<Limit>();
  limit->spec = spec;
  limit->configured = terms.configured;
  limit->ends_at = terms.ends_at;
  if (place == limits.end()) {
    if (limits.size() >= limits_max_) {
      return fail(ErrorCode::kResourceExhausted,
                  "there are " + std::to_string(limits.size()) +
                      " limits, as many as limits.max allows; remove one or raise the setting");
    }
    limit->number = ++last_number_;
    limit->buckets = std::make_shared<BucketStore>(spec, buckets_max_);
    limits.push_back(std::move(limit));
  } else {
    if (terms.must_be_new) {
      return fail(ErrorCode::kBadArgument,
                  "there is a limit " + spec.name + " already; choose another name");
    }
    limit->number = (*place)->number;
    if (counts_the_same(spec, (*place)->spec)) {
      limit->buckets = (*place)->buckets;
      limit->buckets->reshape(spec, now);
    } else {
      limit->buckets = std::make_shared<BucketStore>(spec, buckets_max_);
    }
    *place = std::move(limit);
  }
  publish(std::move(limits));
  return {};
}

Result<LimitRow> LimitRegistry::remove(std::string_view name, base::MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  const Limit* limit = table_ != nullptr ? table_->find(name) : nullptr;
  if (limit == nullptr) return fail(ErrorCode::kUnknownLimit, std::string(name));
  LimitRow row = row_of(*limit, 3, now);
  std::vector<LimitRef> limits = table_->limits;
  std::erase_if(limits, [&](const LimitRef& other) { return other.get() == limit; });
  publish(std::move(limits));
  return row;
}

bool LimitRegistry::expire(base::MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  if (table_ == nullptr) return false;
  std::vector<LimitRef> limits = table_->limits;
  if (std::erase_if(limits, [now](const LimitRef& limit) { return limit->ends_at <= now; }) == 0) {
    return false;
  }
  publish(std::move(limits));
  return true;
}

void LimitRegistry::publish(std::vector<LimitRef> limits) {
  ++last_version_;
  if (limits.empty()) {
    table_ = nullptr;
    return;
  }
  auto table = std::make_shared<LimitTable>();
  table->version = last_version_;
  table->limits = std::move(limits);
  table_ = std::move(table);
}

LimitTableRef LimitRegistry::table() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

std::optional<model::LimitSpec> LimitRegistry::find(std::string_view name) const {
  const LimitTableRef now = table();
  const Limit* limit = now != nullptr ? now->find(name) : nullptr;
  if (limit == nullptr) return std::nullopt;
  return limit->spec;
}

std::vector<std::string> LimitRegistry::names() const {
  std::vector<std::string> out;
  if (const LimitTableRef now = table()) {
    for (const LimitRef& limit : now->limits) out.push_back(limit->spec.name);
  }
  return out;
}

std::vector<LimitRow> LimitRegistry::rows(std::string_view name, std::size_t buckets,
                                          base::MonotonicTime now) const {
  std::vector<LimitRow> out;
  if (const LimitTableRef current = table()) {
    for (const LimitRef& limit : current->limits) {
      if (name.empty() || limit->spec.name == name) out.push_back(row_of(*limit, buckets, now));
    }
  }
  return out;
}

}  // namespace sluice::flow
