// limit_registry.h: what may operators do with limits while the broker runs?
//
// Keeps the table that is in force and makes the next one. A limit that is set again keeps its
// number, and its buckets with their levels, where it still counts the same things.
//
// Owner:    the daemon. Hands tables to the shards itself: the registry does not know them.
// Thread:   any.
// Limits:   `limits_max` limits, `buckets_max` buckets of each.
// Errors:   set(): kBadArgument, kResourceExhausted; remove(): kUnknownLimit.
// Tests:    tests/unit/broker/flow/limit_registry_test.cc

#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/flow/limit_table.h"
#include "libs/base/result.h"

namespace sluice::flow {

/// One bucket, for people.
struct BucketRow {
  std::string key;
  std::optional<std::int64_t> messages_left;
  std::optional<std::int64_t> bytes_left;
  LimitCounts counts;
};

/// One limit, for people.
struct LimitRow {
  model::LimitSpec spec;
  bool configured = false;
  std::optional<base::Duration> ends_in;
  std::size_t buckets = 0;
  LimitCounts counts;
  std::vector<BucketRow> busiest;
};

class LimitRegistry {
 public:
  LimitRegistry(std::size_t limits_max, std::size_t buckets_max)
      : limits_max_(limits_max), buckets_max_(buckets_max) {}

  /// How and how long a limit is set.
  struct Terms {
    bool configured = false;
    bool must_be_new = false;
    base::MonotonicTime ends_at = base::kNever;
  };
  /// Sets one, or changes the one of that name.
  base::Status set(const model::LimitSpec& spec, base::MonotonicTime now) {
    return set(spec, now, Terms{});
  }
  base::Status set(const model::LimitSpec& spec, base::MonotonicTime now, const Terms& terms);
  /// Returns what it had counted.
  base::Result<LimitRow> remove(std::string_view name, base::MonotonicTime now);
  /// Removes those whose time is over. True when there were any.
  bool expire(base::MonotonicTime now);

  /// What is in force; null without any limit.
  LimitTableRef table() const;
  std::optional<model::LimitSpec> find(std::string_view name) const;
  std::vector<std::string> names() const;
  /// All limits, or the one of that name, with at most `buckets` of their buckets.
  std::vector<LimitRow> rows(std::string_view name, std::size_t buckets,
                             base::MonotonicTime now) const;

 private:
  void publish(std::vector<LimitRef> limits);

  const std::size_t limits_max_;
  const std::size_t buckets_max_;
  mutable std::mutex mutex_;  // guards all below
  LimitTableRef table_;       // null: no limits
  std::uint64_t last_version_ = 0;
  std::uint32_t last_number_ = 0;
};

}  // namespace sluice::flow
