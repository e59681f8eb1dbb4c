// ended_subscriptions.h: what became of subscriptions that are no more?
//
// The final account of each, kept so that what was lost can still be attributed when the subscriber
// has gone, and so that a client that comes back can be told what it missed.
//
// Owner:    Core.
// Thread:   the owner shard only.
// Limits:   `max` records, the oldest go first; kMaxFiltersKept filters of each.
// Tests:    tests/unit/broker/shard/ended_subscriptions_test.cc

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "broker/model/end_reason.h"
#include "broker/model/ids.h"
#include "broker/queue/ledger.h"
#include "libs/base/clock.h"

namespace sluice::shard {

struct EndedSubscription {
  std::uint64_t session = 0;  // of its client; 0 for a shared one, which has several
  model::SubscriptionId id;   // what the client called it
  std::string shown_name;     // never empty
  std::string name;           // as subscribed; may be empty
  std::string group;          // of a shared one
  std::string client;         // of a plain one
  std::vector<std::string> filters;
  std::size_t filter_count = 0;  // there were so many
  std::string overflow;
  base::MonotonicTime began;
  base::MonotonicTime ended;
  model::EndReason why = model::EndReason::kUnsubscribed;
  queue::Ledger ledger;  // final; what was discarded stands in it
  std::uint64_t next_sequence = 1;
  std::uint64_t last_mark = 0;  // of its ledger, in LedgerMarks
};

class EndedSubscriptions {
 public:
  static constexpr std::size_t kMaxFiltersKept = 8;

  explicit EndedSubscriptions(std::size_t max) : max_(max) {}

  void add(EndedSubscription&& ended);

  /// The last plain subscription that this session called `id`; null when it is not known (any
  /// more). Valid until the next add().
  const EndedSubscription* find(std::uint64_t session, model::SubscriptionId id) const;

  std::size_t size() const { return records_.size(); }
  /// 0 is the one that ended last. Requires: back < size().
  const EndedSubscription& newest(std::size_t back) const;
  /// Records that had to go for newer ones.
  std::uint64_t forgotten() const { return added_ - records_.size(); }
  std::size_t memory_bytes() const noexcept {
    return records_.capacity() * sizeof(EndedSubscription) + by_key_.size() * kKeyBytes +
           text_bytes_;
  }

 private:
  using Key = std::pair<std::uint64_t, std::uint32_t>;  // session, id
  static constexpr std::size_t kKeyBytes = 80;          // of one in by_key_, with its node

  static Key key_of(const EndedSubscription& ended) { return {ended.session, ended.id.value()}; }

  std::size_t max_;
  std::uint64_t added_ = 0;
  std::size_t text_bytes_ = 0;
  std::vector<EndedSubscription> records_;  // a ring: number n stands at n % max_
  std::map<Key, std::uint64_t> by_key_;     // numbers, from 0
};

}  // namespace sluice::shard
