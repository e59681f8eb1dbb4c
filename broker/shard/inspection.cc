#include "broker/shard/inspection.h"

#include <algorithm>

#include "libs/wire/topic_name.h"

namespace sluice::shard {

using model::Account;
using model::AccountPage;
using model::AccountQuery;

namespace {

std::int64_t signed_of(std::uint64_t count) { return static_cast<std::int64_t>(count); }

model::LedgerRow row_of(const queue::Ledger& ledger) {
  model::LedgerRow row;
  row.matched = signed_of(ledger.matched);
  row.delivered = signed_of(ledger.delivered);
  row.queued = signed_of(ledger.queued);
  row.in_flight = signed_of(ledger.in_flight);
  row.waiting = signed_of(ledger.waiting);
  row.spilled = signed_of(ledger.spilled);
  row.discarded = signed_of(ledger.discarded);
  for (std::size_t i = 0; i < row.dropped.size(); ++i) {
    row.dropped[i] = signed_of(ledger.dropped[i]);
  }
  return row;
}

bool may_match(const std::vector<std::string>& filters, std::size_t count,
               const std::string& topic) {
  if (topic.empty() || count > filters.size()) return true;
  return std::any_of(filters.begin(), filters.end(), [&topic](const std::string& filter) {
    return wire::filter_matches(filter, topic);
  });
}

}  // namespace

bool Inspection::look_at_part(Cursor& cursor, const std::function<void(Subscription&)>& visit) {
  const std::size_t end = std::min(cursor.slot + kPart, subscriptions_.places());
  for (; cursor.slot < end; ++cursor.slot) {
    const model::SubscriptionSlot slot(static_cast<std::uint32_t>(cursor.slot));
    if (Subscription* subscription = subscriptions_.find(slot)) visit(*subscription);
  }
  return cursor.slot < subscriptions_.places();
}

// --- Status --------------------------------------------------------------------------------

model::SubscriptionStatus Inspection::status_of(Subscription& subscription) {
  core_.states.update(subscription);
  const queue::BoundedQueue& queue = subscription.queue;
  const queue::Ledger ledger = queue.ledger();
  model::SubscriptionStatus row;
  row.shard = core_.id.value();
  row.name = subscription.shown_name();
  if (subscription.group) {
    row.group = subscription.group->name;
    row.members = static_cast<std::uint32_t>(subscription.group->members.size());
    subscription.group->members.each([&row](const Member& member) {
      row.credit_messages += member.credit.messages;
      row.credit_bytes += member.credit.bytes;
    });
  } else {
    row.client = subscription.connection->client;
    row.credit_messages = subscription.credit.messages;
    row.credit_bytes = subscription.credit.bytes;
  }
  row.filters = subscription.filters;
  row.max_messages = queue.bounds().max_messages;
  row.max_bytes = queue.bounds().max_bytes;
  row.max_lag_ns = static_cast<std::uint64_t>(queue.bounds().max_lag.count());
  row.overflow = queue::format_ladder(queue.ladder());
  row.limited_by = subscription.limited_by;
  row.matched = ledger.matched;
  row.delivered = ledger.delivered;
  row.queued = ledger.queued;
  row.in_flight = ledger.in_flight;
  row.waiting = ledger.waiting;
  row.spilled = ledger.spilled;
  row.discarded = ledger.discarded;
  row.dropped = ledger.dropped;
  row.imbalance = ledger.imbalance();
  row.held_bytes = queue.held_bytes();
  row.lag_ns = static_cast<std::uint64_t>(queue.lag(core_.now).count());
  return row;
}

model::ConnectionStatus Inspection::status_of(const Connection& connection) const {
  const bool open = connection.state != ConnectionState::kClosed;
  return {core_.id.value(),
          connection.id.value(),
          connection.peer,
          connection.client,
          connection.consumers.size(),
          connection.topics.size(),
          open ? connection.link->unsent_bytes() : 0,
          static_cast<std::uint64_t>(ago(connection.opened_at))};
}

bool Inspection::status(std::size_t limit, Cursor& cursor, model::ShardStatus& answer) {
  if (!cursor.begun) {
    cursor.begun = true;
    answer.shard = core_.id.value();
    answer.connections = core_.connections.size();
    answer.topics = core_.topics.size();
    answer.subscriptions = subscriptions_.size();
    answer.publishes_pending = publishing_.pending();
    answer.slabs_in_use = core_.pool.in_use();
    for (const auto& [id, connection] : core_.connections) {
      if (cursor.connections.size() >= limit) break;
      cursor.connections.push_back(id);
    }
  }
  if (look_at_part(cursor, [&](Subscription& subscription) {
        answer.ledger_imbalance += subscription.queue.ledger().imbalance();
        if (answer.subscription_list.size() >= limit) return;
        answer.subscription_list.push_back(status_of(subscription));
      })) {
    return true;
  }
  for (std::size_t i = 0; i < kPart && !cursor.connections.empty(); ++i) {
    const auto known = core_.connections.find(cursor.connections.back());
    cursor.connections.pop_back();
    if (known == core_.connections.end()) continue;
    answer.connection_list.push_back(status_of(*known->second));
  }
  return !cursor.connections.empty();
}

// --- Audit ---------------------------------------------------------------------------------

// Makes the ledger count from when it was asked for, as far back as that is known.
void Inspection::reckon(const AccountQuery& query, std::uint64_t last_mark,
                        base::MonotonicTime began, Account& account) const {
  account.from_ns = account.began_ns;
  if (!query.since) return;
  const LedgerMarks::Base base = core_.marks.at(last_mark, began, core_.now - *query.since);
  account.ledger.add(row_of(base.ledger), -1);
  account.from_ns = ago(base.at);
  account.from_is_late = base.is_late;
}

void Inspection::take_in(const AccountQuery& query, Account&& account, AccountPage& answer) const {
  answer.sum.add(account.ledger, +1);
  ++(account.ended ? answer.ended : answer.subscriptions);
  if (account.from_is_late) {
    const bool first = answer.late++ == 0;
    answer.late_from_ns = first ? account.from_ns : std::min(answer.late_from_ns, account.from_ns);
  }
  const bool balances = account.ledger.imbalance() == 0;
  if (!balances) ++answer.unbalanced;
  if (answer.rows.size() < query.limit) {
    answer.rows.push_back(std::move(account));
  } else if (!balances && !answer.rows.empty()) {
    answer.rows.back() = std::move(account);
  }
}

bool Inspection::audit(const AccountQuery& query, Cursor& cursor, AccountPage& answer) {
  const bool more = look_at_part(cursor, [&](const Subscription& subscription) {
    if (!may_match(subscription.filters, subscription.filters.size(), query.topic)) return;
    Account account;
    account.shard = core_.id.value();
    account.name = subscription.shown_name();
    if (subscription.group) {
      account.group = subscription.group->name;
    } else {
      account.client = subscription.connection->client;
    }
    account.filters = subscription.filters;
    account.filter_count = subscription.filters.size();
    account.overflow = queue::format_ladder(subscription.queue.ladder());
    account.began_ns = ago(subscription.began);
    account.ledger = row_of(subscription.queue.ledger());
    reckon(query, subscription.last_mark, subscription.began, account);
    take_in(query, std::move(account), answer);
  });
  if (!more) audit_ended(query, answer);
  return more;
}

void Inspection::audit_ended(const AccountQuery& query, AccountPage& answer) const {
  answer.forgotten = core_.ended.forgotten();
  for (std::size_t back = 0; back < core_.ended.size(); ++back) {
    const EndedSubscription& ended = core_.ended.newest(back);
    if (query.since && ago(ended.ended) > query.since->count()) return;
    if (!may_match(ended.filters, ended.filter_count, query.topic)) continue;
    Account account;
    account.shard = core_.id.value();
    account.name = ended.shown_name;
    account.group = ended.group;
    account.client = ended.client;
    account.filters = ended.filters;
    account.filter_count = ended.filter_count;
    account.overflow = ended.overflow;
    account.ended = true;
    account.why = model::kEndReasonNames[static_cast<std::size_t>(ended.why)];
    account.began_ns = ago(ended.began);
    account.ended_ns = ago(ended.ended);
    account.ledger = row_of(ended.ledger);
    reckon(query, ended.last_mark, ended.began, account);
    take_in(query, std::move(account), answer);
  }
}

// --- Drops ---------------------------------------------------------------------------------

model::DropPage Inspection::drops(const model::DropQuery& query) const {
  const DropLog& log = core_.drops;
  model::DropPage page;
  page.shard = core_.id.value();
  const std::size_t shard = core_.id.value();
  page.next = shard < query.after.size() ? query.after[shard] : 0;
  if (page.next + 1 < log.oldest()) {
    page.missed = log.oldest() - 1 - page.next;
    page.next = log.oldest() - 1;
  }
  // A cursor of before a restart, or made up.
  page.next = std::min(page.next, log.newest());
  while (page.next < log.newest()) {
    const DropRecord& record = *log.find(page.next + 1);
    if (query.only_closed && DropLog::grows(record, core_.now)) break;
    if (page.rows.size() >= query.limit) {
      page.more = true;
      break;
    }
    ++page.next;
    if (query.reason && record.key.reason != *query.reason) continue;
    if (query.since && ago(record.last_at) > query.since->count()) continue;
    model::DropRow row;
    row.shard = page.shard;
    row.number = record.number;
    row.began_ns = ago(record.began);
    row.last_ns = ago(record.last_at);
    row.subscription = record.subscription;
    row.client = record.client;
    row.topic = record.topic;
    row.publisher = record.publisher;
    row.publisher_shard = record.key.publisher_shard.value();
    row.publisher_connection = record.key.publisher.value();
    row.reason = record.key.reason;
    row.first = record.lost.first;
    row.last = record.lost.last;
    row.count = record.lost.count;
    row.bytes = record.lost.bytes;
    page.rows.push_back(std::move(row));
  }
  return page;
}

}  // namespace sluice::shard
