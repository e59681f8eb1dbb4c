#include "broker/shard/limited_by_states.h"

#include <algorithm>
#include <utility>

#include "broker/shard/connection.h"
#include "broker/shard/subscription.h"
#include "libs/base/assert.h"

namespace sluice::shard {

using model::LimitedBy;

namespace {

// Of each kind in the metrics, which tell both apart by one position.
constexpr std::size_t position(std::size_t kind, std::size_t state) {
  return kind * model::kLimitedByCount + state;
}

// Of a shared one: what it has dealt may wait for the limit of a member's connection.
std::uint32_t dealt_pacer(const Subscription& subscription) {
  return subscription.group == nullptr ? 0 : subscription.group->members.paced_by();
}

}  // namespace

Window* find_window(Connection& connection, std::uint32_t topic) {
  if (topic == 0) return &connection.named;
  const auto it = connection.topics.find(topic);
  return it == connection.topics.end() ? nullptr : &it->second.window;
}

// --- Subscriptions -------------------------------------------------------------------------

void LimitedByStates::begin(Subscription& subscription) {
  subscription.began = now_;
  subscription.delivered_at = now_ - kQuiet;
  change(Kind::kSubscription, subscription.limited_by, +1);
}

void LimitedByStates::end(Subscription& subscription) {
  change(Kind::kSubscription, subscription.limited_by, -1);
}

std::uint32_t LimitedByStates::pacer(const Subscription& subscription) const {
  if (const std::uint32_t dealt = dealt_pacer(subscription)) return dealt;
  if (subscription.paced_by != 0 || subscription.limits == nullptr) return subscription.paced_by;
  const SubscriptionLimits& limits = *subscription.limits;
  return now_ - limits.waited_until < kQuiet ? limits.waited_for : 0;
}

// One that nothing keeps at this moment. What its limit has just let go, it held back before.
LimitedBy LimitedByStates::state_of_going(const Subscription& subscription) const {
  return pacer(subscription) != 0 ? LimitedBy::kRateLimited : LimitedBy::kDelivering;
}

LimitedBy LimitedByStates::state_of(const Subscription& subscription) const {
  if (subscription.paused) return LimitedBy::kPaused;
  if (subscription.queue.empty()) {
    if (subscription.queue.awaits_spill()) return LimitedBy::kDiskRead;
    const bool rests = now_ - subscription.delivered_at >= kQuiet && dealt_pacer(subscription) == 0;
    return rests ? LimitedBy::kIdle : state_of_going(subscription);
  }
  if (subscription.paced_by != 0 || subscription.is_held(now_)) return LimitedBy::kRateLimited;
  if (subscription.group != nullptr) {
    const bool waits = subscription.group->members.open() == 0 && dealt_pacer(subscription) == 0;
    return waits ? LimitedBy::kWaitingCredit : state_of_going(subscription);
  }
  if (!subscription.credit.open()) return LimitedBy::kWaitingCredit;
  const bool unsent = subscription.connection->output_paused;
  return unsent ? LimitedBy::kTcpWindow : state_of_going(subscription);
}

void LimitedByStates::update(Subscription& subscription) {
  const LimitedBy state = state_of(subscription);
  if (state == subscription.limited_by) return;
  if (subscription.clock == nullptr) {
    subscription.clock = std::make_unique<LimitedByClock>(subscription.began);
  }
  subscription.clock->account(subscription.limited_by, now_);
  change(Kind::kSubscription, subscription.limited_by, -1);
  change(Kind::kSubscription, state, +1);
  subscription.limited_by = state;
}

model::LimitedByTimes LimitedByStates::times(const Subscription& subscription) const {
  LimitedByClock clock =
      subscription.clock != nullptr ? *subscription.clock : LimitedByClock(subscription.began);
  clock.account(subscription.limited_by, now_);
  return clock.times();
}

// --- Publishers ----------------------------------------------------------------------------

void LimitedByStates::begin(Window& window) {
  window.used_at = now_ - kQuiet;
  change(Kind::kPublisher, window.limited_by, +1);
}

void LimitedByStates::end(Window& window) { change(Kind::kPublisher, window.limited_by, -1); }

LimitedBy LimitedByStates::state_of(const Window& window) const {
  if (window.blocked != 0) return LimitedBy::kBlockedBy;
  if (window.delayed_by != 0) return LimitedBy::kRateLimited;
  const bool unresolved = window.left + window.to_return < options_.full_window();
  return unresolved || now_ - window.used_at < kQuiet ? LimitedBy::kDelivering : LimitedBy::kIdle;
}

void LimitedByStates::update(Connection& connection, Window& window, std::uint32_t topic) {
  const LimitedBy state = state_of(window);
  if (state == window.limited_by) return;
  if (window.clock == nullptr) window.clock = std::make_unique<LimitedByClock>(now_);
  window.clock->account(window.limited_by, now_);
  // What has come to rest is taken out of the list by the sweep alone.
  if (!std::exchange(window.listed, true)) active_.push_back({connection.id, topic});
  change(Kind::kPublisher, window.limited_by, -1);
  change(Kind::kPublisher, state, +1);
  window.limited_by = state;
}

model::LimitedByTimes LimitedByStates::times(const Window& window) const {
  if (window.clock == nullptr) return {};
  LimitedByClock clock = *window.clock;
  clock.account(window.limited_by, now_);
  return clock.times();
}

// --- Sums ----------------------------------------------------------------------------------

void LimitedByStates::settle(Kind kind, std::size_t state) {
  Count& count = counts_[static_cast<std::size_t>(kind)][state];
  if (count.number != 0) {
    const auto elapsed = static_cast<std::uint64_t>((now_ - count.until).count());
    metrics_.limited_by[position(static_cast<std::size_t>(kind), state)].add(count.number *
                                                                             elapsed);
  }
  count.until = now_;
}

void LimitedByStates::change(Kind kind, LimitedBy state, int by) {
  const auto at = static_cast<std::size_t>(state);
  settle(kind, at);
  Count& count = counts_[static_cast<std::size_t>(kind)][at];
  ASSERT(by > 0 || count.number > 0);
  count.number += static_cast<std::uint64_t>(static_cast<std::int64_t>(by));
  metrics_.limited_by_now[position(static_cast<std::size_t>(kind), at)].set(
      static_cast<std::int64_t>(count.number));
}

void LimitedByStates::sweep(const std::function<Connection*(model::ConnectionId)>& find) {
  for (const Kind kind : {Kind::kSubscription, Kind::kPublisher}) {
    for (std::size_t state = 0; state < model::kLimitedByCount; ++state) settle(kind, state);
  }
  for (std::size_t i = std::min(kSweepWindows, active_.size()); i > 0 && !active_.empty(); --i) {
    sweep_ = sweep_ + 1 < active_.size() ? sweep_ + 1 : 0;
    const Active entry = active_[sweep_];
    Connection* connection = find(entry.connection);
    Window* window = connection == nullptr ? nullptr : find_window(*connection, entry.topic);
    if (window != nullptr) update(*connection, *window, entry.topic);
    if (window != nullptr && window->limited_by != LimitedBy::kIdle) continue;
    if (window != nullptr) window->listed = false;
    active_[sweep_] = active_.back();
    active_.pop_back();
  }
}

}  // namespace sluice::shard
