// limit_table.h: which limits are there, and which of them apply to this?
//
// A LimitTable is a snapshot that never changes: every shard has one, and is handed the next when
// an operator sets or removes a limit. Who a shard serves (a connection, a topic, a subscription)
// has its AppliedLimits, made by apply() once and again when the table's version is another.
//
// Owner:    LimitRegistry makes tables; shards share them.
// Thread:   immutable; any thread. AppliedLimits: one shard.
// Tests:    tests/unit/broker/flow/limit_table_test.cc

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/flow/bucket_store.h"
#include "broker/model/limit_spec.h"

namespace sluice::flow {

/// One version of one limit. The number belongs to the name as long as the limit exists.
struct Limit {
  std::uint32_t number = 0;  // from 1
  model::LimitSpec spec;
  bool configured = false;  // in the file of settings, as it is here
  base::MonotonicTime ends_at = base::kNever;
  std::shared_ptr<BucketStore> buckets;
};
using LimitRef = std::shared_ptr<const Limit>;

struct LimitTable {
  std::uint64_t version = 0;     // from 1; rises with every change
  std::vector<LimitRef> limits;  // in the order in which they were first set

  /// Null: there is none of that number, or name, any more.
  const Limit* find(std::uint32_t number) const;
  const Limit* find(std::string_view name) const;
  bool has(model::LimitLevel level) const;
  bool has(model::LimitDirection direction) const;
};
using LimitTableRef = std::shared_ptr<const LimitTable>;

struct AppliedLimit {
  LimitRef limit;
  BucketRef bucket;
};

/// The limits that apply to somebody or something, by what they count.
struct AppliedLimits {
  std::uint64_t version = 0;  // of the table; 0: not made yet
  std::vector<AppliedLimit> in;
  std::vector<AppliedLimit> out;
};

/// Who or what limits may apply to: as far as `levels` in apply() asks for it.
struct Subject {
  std::string_view listener;
  std::string_view user;
  std::string_view client;      // the client's name, which several connections may have
  std::string_view connection;  // names one connection
  std::string_view topic;
  std::string_view subscription;     // the subscription's name, which several may have
  std::string_view subscription_id;  // names one subscription
};

/// Levels as a set.
constexpr unsigned level_bit(model::LimitLevel level) { return 1U << static_cast<unsigned>(level); }

/// Makes `applied` anew: the limits of `table` of one of `levels` that match `subject`.
void apply(const LimitTable& table, unsigned levels, const Subject& subject,
           base::MonotonicTime now, AppliedLimits& applied);

}  // namespace sluice::flow
