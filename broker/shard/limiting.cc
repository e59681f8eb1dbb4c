#include "broker/shard/limiting.h"

#include <algorithm>
#include <limits>

namespace sluice::shard {

using flow::level_bit;
using model::LimitLevel;

namespace {

constexpr std::uint32_t kNoBound = std::numeric_limits<std::uint32_t>::max();

constexpr unsigned kOfConnection = level_bit(LimitLevel::kNode) | level_bit(LimitLevel::kListener) |
                                   level_bit(LimitLevel::kUser) |
                                   level_bit(LimitLevel::kConnection);

// Timers stand on whole milliseconds: what is due within one goes together.
base::MonotonicTime rounded(base::MonotonicTime when) {
  return std::chrono::ceil<std::chrono::milliseconds>(when);
}

std::string numbered(const std::string& name, model::ShardId shard, std::uint64_t number) {
  return name + " (" + std::to_string(shard.value()) + "/" + std::to_string(number) + ")";
}

}  // namespace

// --- Which limits --------------------------------------------------------------------------

void Limiting::set_table(flow::LimitTableRef table) {
  table_ = std::move(table);
  topics_.clear();
  has_topics_ = table_ != nullptr && table_->has(LimitLevel::kTopic);
  has_subscriptions_ = table_ != nullptr && table_->has(LimitLevel::kSubscription);
  has_out_ = table_ != nullptr && table_->has(model::LimitDirection::kOut);
  core_.limiting = table_ != nullptr ? this : nullptr;
  release_all();
}

// What waits asks again, and waits again where the new table says so.
void Limiting::release_all() {
  subscriptions_.each_mutable([this](Subscription& subscription) {
    if (subscription.limits == nullptr) return;
    subscription.limits->paced_until = base::MonotonicTime::min();
    subscription.limits->waited_for = 0;
    if (table_ == nullptr) subscription.limits.reset();
    if (std::exchange(subscription.paced_by, 0) != 0) subscriptions_.wake(subscription);
  });
  connections_.clear();
  for (const auto& [id, connection] : core_.connections) {
    if (connection->limits == nullptr) continue;
    connection->limits->paced_until = base::MonotonicTime::min();
    if (table_ == nullptr) connection->limits.reset();
    if (!connection->dealt.empty()) core_.touch(*connection);
  }
}

const flow::AppliedLimits* Limiting::of(Connection& connection) {
  if (connection.limits == nullptr) connection.limits = std::make_unique<ConnectionLimits>();
  flow::AppliedLimits& applied = connection.limits->applied;
  if (applied.version != table_->version) {
    const std::string& name = connection.client.empty() ? connection.peer : connection.client;
    const std::string key = numbered(name, core_.id, connection.id.value());
    flow::Subject subject;
    subject.listener = kListener;
    subject.user = connection.user;
    subject.client = connection.client;
    subject.connection = key;
    flow::apply(*table_, kOfConnection, subject, core_.now, applied);
  }
  return &applied;
}

const flow::AppliedLimits* Limiting::of(const model::TopicRef& topic) {
  if (!has_topics_) return nullptr;
  if (topics_.size() >= kTopicsKept && !topics_.contains(topic.slot().value())) topics_.clear();
  TopicLimits& known = topics_[topic.slot().value()];
  if (known.applied.version != table_->version || known.generation != topic.generation()) {
    known.generation = topic.generation();
    flow::Subject subject;
    subject.topic = *core_.topics.name(topic);
    flow::apply(*table_, level_bit(LimitLevel::kTopic), subject, core_.now, known.applied);
  }
  return &known.applied;
}

const flow::AppliedLimits* Limiting::of(Subscription& subscription) {
  if (subscription.limits == nullptr) subscription.limits = std::make_unique<SubscriptionLimits>();
  flow::AppliedLimits& applied = subscription.limits->applied;
  if (has_subscriptions_ && applied.version != table_->version) {
    const std::string id = numbered(subscription.shown_name(), core_.id, subscription.serial);
    flow::Subject subject;
    subject.subscription = subscription.own_name();
    subject.subscription_id = id;
    flow::apply(*table_, level_bit(LimitLevel::kSubscription), subject, core_.now, applied);
  } else if (!has_subscriptions_) {
    applied = {};
  }
  return &applied;
}

flow::LimitLists Limiting::in(Connection& connection, const model::TopicRef& topic) {
  return {of(connection), of(topic), nullptr};
}

// --- Going out -----------------------------------------------------------------------------

bool Limiting::holds(const Subscription& subscription, base::MonotonicTime now) {
  if (subscription.paced_by == 0 || subscription.limits->paced_until <= now) return false;
  return subscription.queue.front() != nullptr || subscription.limits->gap_told;
}

std::uint32_t Limiting::let_out(Subscription& subscription, const queue::Credit& credit) {
  let_ = {};
  if (!has_out_ || !credit.open()) return kNoBound;
  const flow::AppliedLimits* own = of(subscription);
  SubscriptionLimits& limits = *subscription.limits;
  const model::Slice* front = subscription.queue.front();
  if (front == nullptr) {
    limits.gap_told = true;  // if it waits, further ones join what is told when it goes on
    return kNoBound;
  }
  if (limits.paced_until > core_.now) return 0;
  auto most = static_cast<std::uint32_t>(std::min<std::uint64_t>(credit.messages, front->count));
  const auto bytes = static_cast<std::uint64_t>(credit.bytes);
  if (front->records > bytes) most = std::min(most, front->count_within(bytes - 1) + 1);
  if (subscription.connection != nullptr) let_.lists[0] = of(*subscription.connection);
  let_.lists[1] = own;
  let_.lists[2] = of(front->topic);
  const flow::Pace pace = flow::pace_front(let_.lists, *front, most, core_.now);
  if (pace.messages == 0) {
    hold(subscription, pace);
    return 0;
  }
  let_.amount = {pace.messages, front->bytes_of_first(pace.messages)};
  if (subscription.paced_by != 0) {
    limits.waited_for = std::exchange(subscription.paced_by, 0);
    limits.waited_until = core_.now;
  }
  if (limits.waited_until == core_.now) let_.waited_for = limits.waited_for;
  return pace.messages;
}

void Limiting::went(const queue::Item& item) {
  if (let_.amount.messages == 0) return;
  flow::Amount gone;
  if (const auto* delivery = std::get_if<queue::Delivery>(&item)) {
    gone = {delivery->slice.count, delivery->slice.records};
  }
  flow::settle_out(let_.lists, let_.amount, gone, let_.waited_for, core_.now);
  let_ = {};
}

void Limiting::hold(Subscription& subscription, const flow::Pace& pace) {
  subscription.limits->paced_until = rounded(std::max(pace.when, core_.now + base::Duration(1)));
  subscription.limits->gap_told = false;
  subscription.paced_by = pace.by->limit->number;
  subscriptions_.schedule(subscription);
}

std::uint32_t Limiting::let_dealt(Connection& connection) {
  const auto* delivery = std::get_if<queue::Delivery>(&connection.dealt.front().item);
  if (!has_out_ || delivery == nullptr) return kNoBound;
  const flow::LimitLists lists{of(connection), nullptr, nullptr};
  ConnectionLimits& limits = *connection.limits;
  if (limits.paced_until > core_.now) return 0;
  const model::Slice& slice = delivery->slice;
  const flow::Pace pace = flow::pace_front(lists, slice, slice.count, core_.now);
  if (pace.messages == 0) {
    limits.paced_until = rounded(std::max(pace.when, core_.now + base::Duration(1)));
    limits.paced_by = pace.by->limit->number;
    connections_.emplace(limits.paced_until, connection.id.value());
    return 0;
  }
  const flow::Amount gone{pace.messages, slice.bytes_of_first(pace.messages)};
  const bool waited = limits.paced_until != base::MonotonicTime::min() &&
                      core_.now - limits.paced_until < std::chrono::milliseconds(1);
  flow::settle_out(lists, gone, gone, waited ? limits.paced_by : 0, core_.now);
  return pace.messages;
}

// --- Time ----------------------------------------------------------------------------------

void Limiting::on_time() {
  while (!connections_.empty() && connections_.begin()->first <= core_.now) {
    const model::ConnectionId id(connections_.begin()->second);
    connections_.erase(connections_.begin());
    Connection* connection = core_.find(id);
    if (connection != nullptr && !connection->output_paused) core_.touch(*connection);
  }
}

base::MonotonicTime Limiting::next_time() const {
  return connections_.empty() ? base::kNever : connections_.begin()->first;
}

void Limiting::forget(const Connection& connection) {
  if (connection.limits == nullptr) return;
  connections_.erase({connection.limits->paced_until, connection.id.value()});
}

}  // namespace sluice::shard
