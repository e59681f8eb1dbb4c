// The part of Shard that tells operators what it holds.

#include <algorithm>

#include "broker/shard/shard.h"
#include "libs/base/assert.h"

namespace sluice::shard {

namespace {

model::SubscriptionStatus status_of(const Subscription& subscription, std::uint16_t shard,
                                    base::MonotonicTime now) {
  const queue::BoundedQueue& queue = subscription.queue;
  const queue::Ledger ledger = queue.ledger();
  model::SubscriptionStatus row;
  row.shard = shard;
  row.name = subscription.shown_name();
  if (subscription.group) {
    row.group = subscription.group->name;
    row.members = static_cast<std::uint32_t>(subscription.group->members.size());
  } else {
    row.client = subscription.connection->client;
  }
  row.filters = subscription.filters;
  row.max_messages = queue.bounds().max_messages;
  row.max_bytes = queue.bounds().max_bytes;
  row.max_lag_ns = static_cast<std::uint64_t>(queue.bounds().max_lag.count());
  row.overflow = queue::format_ladder(queue.ladder());
  row.matched = ledger.matched;
  row.delivered = ledger.delivered;
  row.queued = ledger.queued;
  row.waiting = ledger.waiting;
  row.discarded = ledger.discarded;
  row.dropped = ledger.dropped;
  row.imbalance = ledger.imbalance();
  row.held_bytes = queue.held_bytes();
  row.lag_ns = static_cast<std::uint64_t>(queue.lag(now).count());
  row.credit_messages = subscription.credit.messages;
  row.credit_bytes = subscription.credit.bytes;
  return row;
}

}  // namespace

model::ShardStatus Shard::status(std::size_t limit) const {
  model::ShardStatus out;
  out.shard = core_.id.value();
  out.connections = core_.connections.size();
  out.topics = core_.topics.size();
  out.subscriptions = subscriptions_.size();
  out.publishes_pending = publishing_.pending();
  out.slabs_in_use = core_.pool.in_use();
  subscriptions_.each([&](const Subscription& subscription) {
    out.ledger_imbalance += subscription.queue.ledger().imbalance();
    if (out.subscription_list.size() >= limit) return;
    out.subscription_list.push_back(status_of(subscription, out.shard, core_.now));
  });
  for (const auto& [id, connection] : core_.connections) {
    if (out.connection_list.size() >= limit) break;
    const bool open = connection->state != ConnectionState::kClosed;
    out.connection_list.push_back(
        {out.shard, id, connection->peer, connection->client, connection->consumers.size(),
         connection->topics.size(), open ? connection->link->unsent_bytes() : 0,
         static_cast<std::uint64_t>((core_.now - connection->opened_at).count())});
  }
  return out;
}

void Shard::check_invariants() const {
  subscriptions_.check_invariants();
  publishing_.check_invariants();
  core_.topics.check_invariants();
  for (const auto& [id, connection] : core_.connections) {
    ASSERT(connection->id.value() == id);
    for (const model::SubscriptionSlot slot : connection->ready) {
      ASSERT(subscriptions_.at(slot).ready);
    }
  }
}

bool Shard::is_drained() const {
  if (publishing_.pending() != 0 || core_.mail.waiting() != 0) return false;
  if (withdrawals_.open() != 0) return false;
  if (subscriptions_.held() != 0) return false;
  return std::all_of(core_.connections.begin(), core_.connections.end(), [](const auto& entry) {
    const Connection& connection = *entry.second;
    return connection.dealt.empty() && connection.control.empty() &&
           (connection.state == ConnectionState::kClosed || connection.link->unsent_bytes() == 0);
  });
}

}  // namespace sluice::shard
