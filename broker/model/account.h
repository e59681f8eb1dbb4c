// account.h: what became of the messages of each subscription, live or ended, as plain values.
//
// Owner:    values, made on the shard's thread and handed to another.
// Thread:   any once made.
// Units:    messages; times are nanoseconds before the moment of asking.

#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.h"
#include "libs/wire/frames_subscribe.h"

namespace sluice::model {

/// A ledger, or the difference of two: the law holds for both.
struct LedgerRow {
  std::int64_t matched = 0;
  std::int64_t delivered = 0;
  std::int64_t queued = 0;
  std::int64_t in_flight = 0;
  std::int64_t waiting = 0;
  std::int64_t spilled = 0;
  std::int64_t discarded = 0;
  std::array<std::int64_t, wire::kGapReasons> dropped{};  // by wire::GapReason, less 1

  std::int64_t dropped_total() const noexcept {
    return std::accumulate(dropped.begin(), dropped.end(), std::int64_t{0});
  }
  /// 0 when the law holds.
  std::int64_t imbalance() const noexcept {
    const std::int64_t held = queued + in_flight + waiting + spilled;
    return matched - delivered - held - discarded - dropped_total();
  }
  LedgerRow& add(const LedgerRow& other, std::int64_t sign) noexcept {
    matched += sign * other.matched;
    delivered += sign * other.delivered;
    queued += sign * other.queued;
    in_flight += sign * other.in_flight;
    waiting += sign * other.waiting;
    spilled += sign * other.spilled;
    discarded += sign * other.discarded;
    for (std::size_t i = 0; i < dropped.size(); ++i) dropped[i] += sign * other.dropped[i];
    return *this;
  }
};

struct AccountQuery {
  std::string topic;                    // only whose filters match it; empty: all
  std::optional<base::Duration> since;  // what has changed since so long ago
  std::size_t limit = 0;                // rows wanted of each shard; the sums are of all
};

struct Account {
  std::uint16_t shard = 0;
  std::string name;  // as shown; never empty
  std::string group;
  std::string client;
  std::vector<std::string> filters;
  std::uint64_t filter_count = 0;  // there are so many; an ended one keeps the first few
  std::string overflow;
  bool ended = false;
  std::string_view why;  // it ended
  std::int64_t began_ns = 0;
  std::int64_t ended_ns = 0;
  std::int64_t from_ns = 0;   // the ledger counts from then on
  bool from_is_late = false;  // nothing is known any more of so long ago as was asked for
  LedgerRow ledger;
};

struct AccountPage {
  std::vector<Account> rows;  // what does not balance first
  LedgerRow sum;              // of all rows, listed or not
  std::uint64_t subscriptions = 0;
  std::uint64_t ended = 0;
  std::uint64_t forgotten = 0;    // ended ones whose account is gone
  std::uint64_t unbalanced = 0;   // rows of which the law does not hold
  std::uint64_t late = 0;         // rows whose reckoning begins later than was asked for
  std::int64_t late_from_ns = 0;  // the latest such beginning
};

}  // namespace sluice::model
