// The part of Subscriptions that keeps accounts, tidies up and looks itself over.

#include <algorithm>

#include "broker/shard/ledger_scope.h"
#include "broker/shard/subscriptions.h"
#include "libs/base/assert.h"

namespace sluice::shard {

bool Subscription::is_called(std::string_view called) const {
  if (group) return group->name == called;
  if (!name.empty()) return name == called;
  const std::size_t mark = called.rfind('#');
  if (mark == std::string_view::npos) return false;
  const std::string& client = connection->client.empty() ? connection->peer : connection->client;
  return called.substr(0, mark) == client && called.substr(mark + 1) == std::to_string(id.value());
}

// For whoever asks later what became of it.
void Subscriptions::keep_account(const Subscription& subscription, model::EndReason why) {
  EndedSubscription ended;
  ended.shown_name = subscription.shown_name();
  if (subscription.group) {
    ended.group = subscription.group->name;
  } else {
    ended.session = subscription.connection->session;
    ended.id = subscription.id;
    ended.name = subscription.name;
    ended.client = subscription.connection->client;
  }
  ended.filters = subscription.filters;
  ended.overflow = queue::format_ladder(subscription.queue.ladder());
  ended.began = subscription.began;
  ended.ended = core_.now;
  ended.why = why;
  ended.ledger = subscription.queue.ledger();
  ended.next_sequence = subscription.queue.next_sequence();
  ended.last_mark = subscription.last_mark;
  core_.ended.add(std::move(ended));
}

void Subscriptions::housekeep(std::size_t entries) {
  for (std::size_t i = 0; i < std::min(entries, table_.size()); ++i) {
    sweep_ = (sweep_ + 1) % table_.size();
    if (!table_[sweep_]) continue;
    Subscription& subscription = *table_[sweep_];
    const queue::Ledger ledger = subscription.queue.ledger();
    subscription.drain_rate.observe(core_.now, ledger.delivered, ledger.queued + ledger.waiting);
    core_.states.update(subscription);
    subscription.last_mark = core_.marks.mark(subscription.last_mark, ledger, core_.now);
    {
      LedgerScope scope(core_, subscription);
      subscription.queue.shrink();
    }
    report_dropping(subscription);
  }
}

void Subscriptions::report_dropping(Subscription& subscription) {
  const std::uint64_t dropped = subscription.queue.ledger().dropped_total();
  const bool losing = dropped != std::exchange(subscription.dropped_seen, dropped);
  if (losing == subscription.dropping) return;
  subscription.dropping = losing;
  const model::ConnectionId connection =
      subscription.connection != nullptr ? subscription.connection->id : model::ConnectionId();
  core_.events.subscription_dropping(connection, subscription.shown_name(), losing ? 0 : dropped);
}

std::uint64_t Subscriptions::held() const {
  std::uint64_t held = 0;
  each([&held](const Subscription& subscription) {
    const queue::Ledger ledger = subscription.queue.ledger();
    held += ledger.queued + ledger.waiting + ledger.in_flight;
  });
  return held;
}

void Subscriptions::check_invariants() const {
  std::size_t count = 0;
  std::size_t memory = 0;
  each([&](const Subscription& subscription) {
    subscription.queue.check_invariants();
    ASSERT(subscription.queue.ledger().imbalance() == 0);
    ASSERT(subscription.group || subscription.connection != nullptr);
    memory += subscription.queue.memory_bytes();
    ++count;
  });
  ASSERT(core_.memory.queues() == memory);
  ASSERT(count == size_);
  ASSERT(timers_.size() <= timers_max(table_.size()));
  core_.index.check_invariants();
}

wire::Resumed Subscriptions::end_of(const wire::Resume& resume) const {
  if (resume.session == 0) return {};
  const EndedSubscription* ended =
      core_.ended.find(resume.session, model::SubscriptionId(resume.subscription));
  if (ended == nullptr) return {};
  return {true, ended->next_sequence - 1, ended->ledger.discarded};
}

}  // namespace sluice::shard
