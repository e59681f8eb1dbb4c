// The part of Publishing in which a publish is taken by all or by none.

#include <algorithm>
#include <bit>

#include "broker/shard/ledger_scope.h"
#include "broker/shard/publishing.h"
#include "libs/base/assert.h"

namespace sluice::shard {

using base::ErrorCode;

namespace {

// To be tried again is of no use then, however empty the queue is.
bool never_fits(const model::Slice& slice, const Subscription& subscription) {
  const queue::Bounds& bounds = subscription.queue.bounds();
  return slice.count > bounds.max_messages ||
         slice.records + queue::kSliceOverhead > bounds.max_bytes;
}

}  // namespace

bool Publishing::needs_agreement(const Publish& publish, const topic::Match& match) const {
  if (publish.needs_all_or_none() || match.remote_strict != 0) return true;
  if (!subscriptions_.has_strict()) return false;
  return std::any_of(match.local.begin(), match.local.end(), [this](model::SubscriptionSlot slot) {
    return subscriptions_.at(slot).strict;
  });
}

bool Publishing::is_named(const Publish& publish, const Subscription& subscription) {
  return std::find(publish.need_names.begin(), publish.need_names.end(), subscription.own_name()) !=
         publish.need_names.end();
}

// Whether a subscription that matches may refuse the whole publish.
bool Publishing::must_take(const Publish& publish, const Subscription& subscription) {
  return publish.need_all || subscription.strict || is_named(publish, subscription);
}

bool Publishing::has_room(const topic::Match& match, const Publish& publish, Copies& refusing,
                          std::vector<std::string>& names_here) const {
  const model::Slice& slice = publish.slice;
  bool room = true;
  for (const model::SubscriptionSlot slot : match.local) {
    const Subscription& subscription = subscriptions_.at(slot);
    if (is_named(publish, subscription)) names_here.push_back(subscription.own_name());
    refusing.matched += slice.count;
    if (!must_take(publish, subscription)) continue;
    const auto away = turned_away(subscription, publish.deadline);
    if (!away && subscription.queue.has_room(slice.count, slice.records, core_.now)) continue;
    room = false;
    if (const auto wait = subscription.drain_rate.wait(slice.count)) {
      refusing.retry_after = std::max(refusing.retry_after, *wait);
    }
    const auto reason = away == wire::GapReason::kExpired ? ErrorCode::kDeadlineExceeded
                        : away                            ? ErrorCode::kMemoryBudget
                        : never_fits(slice, subscription) ? ErrorCode::kMessageTooLarge
                        : subscription.strict             ? ErrorCode::kQueueFull
                                                          : ErrorCode::kNeedNotMet;
    refusing.refuse(subscription.shown_name(), slice.count, static_cast<std::uint16_t>(reason));
  }
  return room;
}

void Publishing::agree(Connection& connection, Window& window, Publish&& publish) {
  const topic::Match& match = core_.topics.match(publish.slice.topic);
  Outcome outcome = outcome_of(publish, window_id(connection, window, publish));
  Copies refusing;
  std::vector<std::string> names_here;
  if (!has_room(match, publish, refusing, names_here)) {
    outcome.copies = std::move(refusing);
    reject(connection, outcome, outcome.copies.reason_of_refusal());
    return;
  }
  std::vector<std::string> missing;
  std::copy_if(publish.need_names.begin(), publish.need_names.end(), std::back_inserter(missing),
               [&](const std::string& name) {
                 return std::find(names_here.begin(), names_here.end(), name) == names_here.end();
               });
  // Where one shard may refuse, all are asked, so that it is settled everywhere whom it is for.
  const bool asks = publish.needs_all_or_none() || match.remote_strict != 0;
  const std::uint64_t asked = asks ? match.remote : 0;
  if (asked == 0 && !missing.empty()) {
    for (const std::string& name : missing) {
      outcome.copies.refuse(name, 0, static_cast<std::uint16_t>(ErrorCode::kNeedNotMet));
    }
    reject(connection, outcome, ErrorCode::kNeedNotMet);
    return;
  }
  if (asked == 0) {
    push_to_all(connection, publish, std::move(outcome), reserve(match, publish));
    return;
  }
  Pending& pending = claim();
  pending.connection = connection.id;
  pending.outcome = std::move(outcome);
  pending.outcome.copies.matched = refusing.matched;
  pending.names_missing = std::move(missing);
  pending.audience = reserve(match, publish);
  pending.shards_open = static_cast<std::uint32_t>(std::popcount(asked));
  post_publish(asked, publish, token_of(pending), PublishLetter::Phase::kReserve);
  pending.publish = std::make_unique<Publish>(std::move(publish));
  window.settling = true;
}

void Publishing::on_agreed(Pending& pending) {
  const std::unique_ptr<Publish> publish = std::move(pending.publish);
  const bool expired = publish->deadline <= core_.now;
  const bool taken = !pending.refused && !pending.cancelled && pending.names_missing.empty() &&
                     !core_.draining && !expired;
  const Audience audience = std::move(pending.audience);
  const std::uint64_t reserved_shards = std::exchange(pending.reserved_shards, 0);
  const model::PublishToken token = token_of(pending);
  const model::ConnectionId connection_id = pending.connection;
  const std::uint32_t topic = pending.outcome.topic;
  if (taken) {
    pending.shards_open = static_cast<std::uint32_t>(std::popcount(reserved_shards));
    pending.outcome.copies = {};
    post_publish(reserved_shards, *publish, token, PublishLetter::Phase::kCommit);
    push_pending(pending, publish->slice, {publish->deadline, account_of(*publish)}, audience);
  } else {
    unreserve(audience, publish->slice.count, publish->slice.records);
    post_publish(reserved_shards, *publish, token, PublishLetter::Phase::kAbort);
    for (const std::string& name : pending.names_missing) {
      pending.outcome.copies.refuse(name, 0, static_cast<std::uint16_t>(ErrorCode::kNeedNotMet));
    }
    const std::vector<Refusal>& refusals = pending.outcome.copies.refusals;
    const auto reason = pending.cancelled  ? ErrorCode::kCanceled
                        : core_.draining   ? ErrorCode::kDraining
                        : expired          ? ErrorCode::kDeadlineExceeded
                        : refusals.empty() ? ErrorCode::kQueueFull
                                           : pending.outcome.copies.reason_of_refusal();
    if (Connection* connection = core_.find(connection_id)) {
      reject(*connection, pending.outcome, reason);
    }
    release(pending);
  }
  Connection* connection = core_.find(connection_id);
  Window* window = connection != nullptr ? find_window(*connection, topic) : nullptr;
  if (window == nullptr) return;
  window->settling = false;
  unpark(*connection, *window);
}

Publishing::Audience Publishing::reserve(const topic::Match& match, const Publish& publish) {
  Audience audience;
  audience.newest = subscriptions_.last_serial();
  for (const model::SubscriptionSlot slot : match.local) {
    Subscription& subscription = subscriptions_.at(slot);
    if (!must_take(publish, subscription)) continue;
    LedgerScope scope(core_, subscription);
    subscription.queue.reserve(publish.slice.count, publish.slice.records);
    audience.reserved.push_back({slot, subscription.serial});
  }
  return audience;
}

bool Publishing::Audience::has_reserved(const Subscription& subscription) const {
  if (reserved.empty()) return false;
  const auto held = std::lower_bound(
      reserved.begin(), reserved.end(), subscription.slot,
      [](const Reservation& one, model::SubscriptionSlot slot) { return one.slot < slot; });
  return held != reserved.end() && held->slot == subscription.slot &&
         held->serial == subscription.serial;
}

void Publishing::unreserve(const Audience& audience, std::uint32_t messages,
                           std::uint32_t records) {
  for (const Reservation& reservation : audience.reserved) {
    Subscription* subscription = subscriptions_.find(reservation.slot);
    if (subscription == nullptr || subscription->serial != reservation.serial) continue;
    subscription->queue.unreserve(messages, records);
    subscriptions_.schedule(*subscription);  // what waits there may go on now
  }
}

void Publishing::unpark(Connection& connection, Window& window) {
  while (!window.settling && window.delayed_by == 0 && !window.parked.empty()) {
    if (window.parked.front().due > core_.now) return hold(connection, window);
    Publish next = std::move(window.parked.front());
    window.parked.pop_front();
    count_parked(next, false);
    route(connection, window, std::move(next));
  }
}

}  // namespace sluice::shard
