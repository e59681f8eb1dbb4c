// status.h: what does a shard hold, as plain values for operators?
//
// Owner:    values, made on the shard's thread and handed to another.
// Thread:   any once made.
// Units:    in the names; counts of the ledger are messages.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/model/limited_by.h"
#include "libs/wire/frames_subscribe.h"

namespace sluice::model {

struct SubscriptionStatus {
  std::uint16_t shard = 0;
  std::string name;
  std::string group;   // of a shared one
  std::string client;  // of a plain one
  std::vector<std::string> filters;
  std::uint32_t members = 1;
  std::uint32_t max_messages = 0;
  std::uint64_t max_bytes = 0;
  std::uint64_t max_lag_ns = 0;
  std::string overflow;
  // The ledger.
  std::uint64_t matched = 0;
  std::uint64_t delivered = 0;
  std::uint64_t queued = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t waiting = 0;
  std::uint64_t spilled = 0;
  std::uint64_t discarded = 0;
  std::array<std::uint64_t, wire::kGapReasons> dropped{};  // by wire::GapReason, less 1
  std::int64_t imbalance = 0;
  std::uint64_t held_bytes = 0;
  std::uint64_t lag_ns = 0;
  std::uint64_t credit_messages = 0;
  std::int64_t credit_bytes = 0;
  LimitedBy limited_by = LimitedBy::kIdle;
};

struct ConnectionStatus {
  std::uint16_t shard = 0;
  std::uint64_t id = 0;
  std::string peer;
  std::string client;
  std::uint64_t subscriptions = 0;
  std::uint64_t topics_open = 0;
  std::uint64_t unsent_bytes = 0;
  std::uint64_t age_ns = 0;
};

struct ShardStatus {
  std::uint16_t shard = 0;
  std::uint64_t connections = 0;
  std::uint64_t topics = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t publishes_pending = 0;
  std::uint64_t slabs_in_use = 0;
  std::int64_t ledger_imbalance = 0;
  std::vector<SubscriptionStatus> subscription_list;  // as far as asked for
  std::vector<ConnectionStatus> connection_list;
};

}  // namespace sluice::model
