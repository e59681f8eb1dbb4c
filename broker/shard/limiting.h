// limiting.h: which limits apply to what this shard serves, and when may the next delivery go?
//
// Knows the buckets of each connection, topic and subscription: found once per version of the table
// of limits, then kept. What goes out is let go as its limits allow and no faster: a subscription
// that must wait leaves the list of ready ones until a timer brings it back. What a shared
// subscription deals is paced by its own limits and by those of topics at its home, and by those of
// the connection where its member is. Gaps and control frames never wait.
//
// Owner:    Shard; in Core::limiting as long as there is a limit, which is all that a shard without
//           limits ever looks at.
// Thread:   the owner shard only; buckets are shared by all.
// Limits:   kTopicsKept topics whose buckets are remembered; one timer per connection.
// Order:    let_out(), then the queue's next(), then went(), with nothing in between.
// Source:   docs/guide/limits.md, docs/decisions/0007-shared-token-buckets.md
// Tests:    tests/unit/broker/shard/limits_test.cc, limits_out_test.cc

#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "broker/flow/limit_gate.h"
#include "broker/shard/core.h"
#include "broker/shard/subscriptions.h"

namespace sluice::shard {

class Limiting {
 public:
  static constexpr std::size_t kTopicsKept = 16384;
  static constexpr std::string_view kListener = "native";

  Limiting(Core& core, Subscriptions& subscriptions) : core_(core), subscriptions_(subscriptions) {}

  /// Null: no limits. What waited for limits is looked at anew.
  void set_table(flow::LimitTableRef table);
  const flow::LimitTable* table() const { return table_.get(); }

  /// Of Subscription::paced_by or Window::delayed_by; empty when there is no such limit any more.
  std::string name_of(std::uint32_t number) const {
    const flow::Limit* limit = table_ != nullptr ? table_->find(number) : nullptr;
    return limit != nullptr ? limit->spec.name : std::string();
  }

  /// What a publish of this connection to this topic is charged to.
  flow::LimitLists in(Connection& connection, const model::TopicRef& topic);

  /// How many messages the queue's next() may give to `credit`: charged. 0: it waits, for a timer.
  std::uint32_t let_out(Subscription& subscription, const queue::Credit& credit);
  /// What next() gave.
  void went(const queue::Item& item);
  /// When one that waits goes on; kNever: it does not wait (any more).
  static base::MonotonicTime wakes_at(const Subscription& subscription, base::MonotonicTime now) {
    if (subscription.paced_by == 0 || subscription.limits->paced_until <= now) return base::kNever;
    return subscription.limits->paced_until;
  }
  /// True while a subscription waits, unless it has a gap to tell.
  static bool holds(const Subscription& subscription, base::MonotonicTime now);

  /// How many messages of what was dealt to the connection first may go: charged. 0: it waits.
  std::uint32_t let_dealt(Connection& connection);

  void on_time();
  base::MonotonicTime next_time() const;
  /// The connection is about to be destroyed.
  void forget(const Connection& connection);

 private:
  struct TopicLimits {
    std::uint32_t generation = 0;
    flow::AppliedLimits applied;
  };
  // Of let_out(), for went().
  struct Let {
    flow::LimitLists lists{};
    flow::Amount amount;
    std::uint32_t waited_for = 0;
  };

  const flow::AppliedLimits* of(Connection& connection);
  const flow::AppliedLimits* of(const model::TopicRef& topic);
  const flow::AppliedLimits* of(Subscription& subscription);
  void hold(Subscription& subscription, const flow::Pace& pace);
  void release_all();

  Core& core_;
  Subscriptions& subscriptions_;
  flow::LimitTableRef table_;
  bool has_topics_ = false;         // the table has limits of topics
  bool has_subscriptions_ = false;  // … of subscriptions
  bool has_out_ = false;
  std::unordered_map<std::uint32_t, TopicLimits> topics_;                // by slot
  std::set<std::pair<base::MonotonicTime, std::uint64_t>> connections_;  // paced ones, by id
  Let let_;
};

}  // namespace sluice::shard
