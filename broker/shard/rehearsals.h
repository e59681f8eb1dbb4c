// rehearsals.h: what would happen if this subscriber were slow, or stood still?
//
// A rehearsal makes a subscription behave as if its consumer took `delay` for each message: one is
// delivered, then none until the delay is over. It ends by itself, whoever ordered it. A paused
// subscription gets nothing until it is resumed.
//
// Owner:    Shard.
// Thread:   the owner shard only.
// Limits:   kMax rehearsals at a time.
// Tests:    tests/unit/broker/shard/rehearsal_test.cc

#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "broker/model/rehearsal.h"
#include "broker/shard/core.h"
#include "broker/shard/subscriptions.h"

namespace sluice::shard {

class Rehearsals {
 public:
  static constexpr std::size_t kMax = 64;

  Rehearsals(Core& core, Subscriptions& subscriptions)
      : core_(core), subscriptions_(subscriptions) {}

  /// Of all subscriptions of that name. One that is rehearsed already is rehearsed anew.
  model::ControlResult slow(std::string_view name, base::Duration delay, base::Duration time);
  model::ControlResult stop(std::string_view name);
  model::ControlResult pause(std::string_view name, bool on);
  model::ControlResult list() const;

  /// Ends those whose time is over.
  void on_time();
  base::MonotonicTime next_time() const;

 private:
  struct Running {
    model::SubscriptionSlot slot;
    std::uint64_t serial = 0;
    base::MonotonicTime ends_at;
  };

  Subscription* find(const Running& running) const;
  void each_called(std::string_view name, const std::function<void(Subscription&)>& visit);
  void end(Subscription& subscription);
  void forget_gone();

  Core& core_;
  Subscriptions& subscriptions_;
  std::vector<Running> running_;
};

}  // namespace sluice::shard
