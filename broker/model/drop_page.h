// drop_page.h: records of dropped messages, as plain values.
//
// Owner:    values, made on the shard's thread and handed to another.
// Thread:   any once made.
// Units:    messages and bytes; times are nanoseconds before the moment of asking.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.h"
#include "libs/wire/frames.h"

namespace sluice::model {

struct DropQuery {
  std::vector<std::uint64_t> after;  // by shard: records up to this number were seen
  std::optional<wire::GapReason> reason;
  std::optional<base::Duration> since;
  bool only_closed = false;  // none that may still grow
  std::size_t limit = 0;     // rows wanted of each shard
};

struct DropRow {
  std::uint16_t shard = 0;
  std::uint64_t number = 0;
  std::int64_t began_ns = 0;
  std::int64_t last_ns = 0;
  std::string subscription;
  std::string client;
  std::string topic;
  std::string publisher;  // its client's name, where known
  std::uint16_t publisher_shard = 0;
  std::uint64_t publisher_connection = 0;  // 0: nobody's
  wire::GapReason reason = wire::GapReason::kDroppedOldest;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

struct DropPage {
  std::uint16_t shard = 0;
  std::vector<DropRow> rows;
  std::uint64_t next = 0;    // DropQuery::after for what comes behind these
  std::uint64_t missed = 0;  // records after `after` that were overrun
  bool more = false;         // there were more than wanted
};

}  // namespace sluice::model
