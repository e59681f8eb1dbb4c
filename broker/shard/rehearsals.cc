#include "broker/shard/rehearsals.h"

#include <algorithm>

namespace sluice::shard {

using model::ControlResult;

Subscription* Rehearsals::find(const Running& running) const {
  Subscription* subscription = subscriptions_.find(running.slot);
  const bool same = subscription != nullptr && subscription->serial == running.serial &&
                    subscription->rehearsed != nullptr;
  return same ? subscription : nullptr;
}

void Rehearsals::each_called(std::string_view name,
                             const std::function<void(Subscription&)>& visit) {
  for (std::uint32_t i = 0; i < subscriptions_.places(); ++i) {
    Subscription* subscription = subscriptions_.find(model::SubscriptionSlot(i));
    if (subscription != nullptr && subscription->is_called(name)) visit(*subscription);
  }
}

void Rehearsals::forget_gone() {
  std::erase_if(running_, [this](const Running& running) { return find(running) == nullptr; });
}

ControlResult Rehearsals::slow(std::string_view name, base::Duration delay, base::Duration time) {
  forget_gone();
  ControlResult result;
  each_called(name, [&](Subscription& subscription) {
    ++result.subscriptions;
    if (subscription.rehearsed == nullptr) {
      if (running_.size() >= kMax) {
        ++result.refused;
        return;
      }
      running_.push_back({subscription.slot, subscription.serial, {}});
    }
    for (Running& running : running_) {
      if (running.slot == subscription.slot) running.ends_at = core_.now + time;
    }
    subscription.rehearsed = std::make_unique<Rehearsed>(
        Rehearsed{.delay = delay, .held_until = core_.now + delay, .deliveries = 0});
    subscriptions_.schedule(subscription);
    core_.states.update(subscription);
    core_.events.rehearsal(subscription.shown_name(), true, delay, time);
  });
  return result;
}

void Rehearsals::end(Subscription& subscription) {
  const base::Duration delay = subscription.rehearsed->delay;
  subscription.rehearsed.reset();
  subscriptions_.wake(subscription);
  core_.states.update(subscription);
  core_.events.rehearsal(subscription.shown_name(), false, delay, {});
}

ControlResult Rehearsals::stop(std::string_view name) {
  ControlResult result;
  each_called(name, [&](Subscription& subscription) {
    if (subscription.rehearsed == nullptr) return;
    ++result.subscriptions;
    end(subscription);
  });
  forget_gone();
  return result;
}

ControlResult Rehearsals::pause(std::string_view name, bool on) {
  ControlResult result;
  each_called(name, [&](Subscription& subscription) {
    ++result.subscriptions;
    subscription.paused = on;
    subscriptions_.wake(subscription);
    core_.states.update(subscription);
  });
  return result;
}

ControlResult Rehearsals::list() const {
  ControlResult result;
  for (const Running& running : running_) {
    const Subscription* subscription = find(running);
    if (subscription == nullptr) continue;
    result.rehearsals.push_back(
        {core_.id.value(), subscription->shown_name(), subscription->rehearsed->delay.count(),
         (running.ends_at - core_.now).count(), subscription->rehearsed->deliveries});
  }
  return result;
}

void Rehearsals::on_time() {
  for (std::size_t i = running_.size(); i-- > 0;) {
    if (running_[i].ends_at > core_.now) continue;
    Subscription* subscription = find(running_[i]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    if (subscription != nullptr) end(*subscription);
  }
}

base::MonotonicTime Rehearsals::next_time() const {
  base::MonotonicTime next = base::kNever;
  for (const Running& running : running_) next = std::min(next, running.ends_at);
  return next;
}

}  // namespace sluice::shard
