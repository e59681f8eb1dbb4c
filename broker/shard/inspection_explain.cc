// The part of Inspection that explains what limits whom.

#include <algorithm>
#include <map>

#include "broker/shard/inspection.h"
#include "broker/shard/limiting.h"

namespace sluice::shard {

using model::ExplainKind;
using model::ExplainQuery;
using model::Explanation;

namespace {

// "SHARD/ID" or "ID".
bool is_numbered(const Connection& connection, std::uint16_t shard, std::string_view name) {
  const std::size_t slash = name.find('/');
  if (slash != std::string_view::npos) {
    if (name.substr(0, slash) != std::to_string(shard)) return false;
    name.remove_prefix(slash + 1);
  }
  return name == std::to_string(connection.id.value());
}

}  // namespace

bool Inspection::explain(const ExplainQuery& query, Cursor& cursor, Explanation& answer) {
  switch (query.kind) {
    case ExplainKind::kTopic:
      explain_topic(query, answer);
      return false;
    case ExplainKind::kConnection:
      explain_connections(query, answer);
      return false;
    case ExplainKind::kSubscription:
      break;
  }
  if (!std::exchange(cursor.begun, true)) add_blocked_by(query, answer);
  return look_at_part(cursor, [&](Subscription& subscription) {
    if (subscription.is_called(query.name)) add(subscription, query.limit, answer);
  });
}

std::string Inspection::name_of(std::uint32_t number) const {
  const flow::LimitTable* table = core_.limiting == nullptr ? nullptr : core_.limiting->table();
  const flow::Limit* limit = number == 0 || table == nullptr ? nullptr : table->find(number);
  return limit == nullptr ? std::string() : limit->spec.name;
}

void Inspection::add(Subscription& subscription, std::size_t limit, Explanation& answer) {
  if (++answer.subscription_count > limit) return;
  model::SubscriptionExplanation row;
  row.status = status_of(subscription);
  row.state = subscription.limited_by;
  row.which = subscription.rehearsed != nullptr && subscription.is_held(core_.now)
                  ? std::string(model::kRehearsalName)
                  : name_of(core_.states.pacer(subscription));
  row.times = core_.states.times(subscription);
  if (const Connection* connection = subscription.connection) {
    row.connection = connection->id.value();
    const bool open = connection->state != ConnectionState::kClosed;
    row.unsent_bytes = open ? connection->link->unsent_bytes() : 0;
  }
  row.drain = subscription.drain_rate.wait(row.status.queued + row.status.waiting);
  row.max_messages_allowed = core_.options.largest_bounds.max_messages;
  row.max_bytes_allowed = core_.options.largest_bounds.max_bytes;
  answer.subscriptions.push_back(std::move(row));
}

void Inspection::add(Connection& connection, Window& window, std::uint32_t topic, std::size_t limit,
                     Explanation& answer) {
  if (++answer.publisher_count > limit) return;
  core_.states.update(connection, window, topic);
  model::PublisherExplanation row;
  row.shard = core_.id.value();
  row.connection = connection.id.value();
  row.client = connection.client;
  row.peer = connection.peer;
  if (topic != 0) row.topic = *core_.topics.name(connection.topics.at(topic).topic);
  row.state = window.limited_by;
  row.which = name_of(window.delayed_by);
  row.publishes_waiting = window.blocked;
  if (window.blocked != 0) row.blocked_by = publishing_.blockers(connection, topic);
  row.times = core_.states.times(window);
  row.window_bytes = core_.options.full_window();
  row.window_used_bytes =
      row.window_bytes - std::min(row.window_bytes, window.left + window.to_return);
  answer.publishers.push_back(std::move(row));
}

// Those that wait for a subscription of that name, wherever it is.
void Inspection::add_blocked_by(const ExplainQuery& query, Explanation& answer) {
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::uint64_t> waiting;
  publishing_.each_blocked(kWaitingLooked, [&](model::ConnectionId connection, std::uint32_t topic,
                                               const std::string& subscription) {
    if (subscription == query.name) ++waiting[{connection.value(), topic}];
  });
  for (const auto& [key, publishes] : waiting) {
    Connection* connection = core_.find(model::ConnectionId(key.first));
    Window* window = connection == nullptr ? nullptr : find_window(*connection, key.second);
    if (window == nullptr) continue;
    add(*connection, *window, key.second, query.limit, answer);
    if (answer.publisher_count <= query.limit)
      answer.publishers.back().publishes_waiting = publishes;
  }
}

void Inspection::explain_topic(const ExplainQuery& query, Explanation& answer) {
  topic::Match match;
  core_.index.match(query.name, match);
  for (const model::SubscriptionSlot slot : match.local) {
    add(subscriptions_.at(slot), query.limit, answer);
  }
  const model::TopicRef topic = core_.topics.known(query.name);
  if (!topic) return;
  const std::uint32_t id = wire_topic(topic);
  for (const auto& [number, connection] : core_.connections) {
    if (connection->state != ConnectionState::kOpen) continue;
    const auto open = connection->topics.find(id);
    if (open == connection->topics.end()) continue;
    add(*connection, open->second.window, id, query.limit, answer);
  }
}

void Inspection::explain_connections(const ExplainQuery& query, Explanation& answer) {
  for (const auto& [number, connection] : core_.connections) {
    if (connection->state != ConnectionState::kOpen) continue;
    if (connection->client == query.name ||
        is_numbered(*connection, core_.id.value(), query.name)) {
      explain_connection(*connection, query.limit, answer);
    }
  }
}

void Inspection::explain_connection(Connection& connection, std::size_t limit,
                                    Explanation& answer) {
  if (++answer.connection_count > limit) return;
  model::ConnectionExplanation row;
  row.status = status_of(connection);
  row.output_paused = connection.output_paused;
  row.reading_paused = connection.reading_paused;
  row.publishes_unresolved = connection.unresolved;
  answer.connections.push_back(std::move(row));
  // Those that do something before those that rest.
  for (const bool idle : {false, true}) {
    const auto add_window = [&](Window& window, std::uint32_t topic) {
      core_.states.update(connection, window, topic);
      if ((window.limited_by == model::LimitedBy::kIdle) != idle) return;
      add(connection, window, topic, limit, answer);
    };
    if (connection.named.clock != nullptr) add_window(connection.named, 0);
    for (auto& [topic, open] : connection.topics) add_window(open.window, topic);
  }
  for (const auto& [id, consumer] : connection.consumers) {
    if (!consumer.shared) add(subscriptions_.at(consumer.queue.slot), limit, answer);
  }
}

}  // namespace sluice::shard
