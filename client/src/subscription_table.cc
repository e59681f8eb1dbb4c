#include "client/src/subscription_table.h"

#include <utility>

#include "libs/base/assert.h"

namespace sluice::detail {
namespace {

std::string gap_reason_text(wire::GapReason reason) {
  const std::string_view name = wire::gap_reason_name(reason);
  if (name != "unknown") return std::string(name);
  return "reason " + std::to_string(static_cast<unsigned>(reason));
}

wire::Subscribe make_subscribe(std::uint32_t id, const SubscribeOptions& options,
                               const CreditDue& credit) {
  wire::Subscribe subscribe;
  subscribe.subscription = id;
  subscribe.max_messages = options.queue_messages;
  subscribe.max_bytes = options.queue_bytes;
  subscribe.max_lag_ns = static_cast<std::uint64_t>(options.max_lag.count());
  subscribe.credit_messages = credit.messages;
  subscribe.credit_bytes = credit.bytes;
  subscribe.name = options.name;
  subscribe.group = options.share;
  subscribe.overflow = options.overflow;
  subscribe.filters.assign(options.filters.begin(), options.filters.end());
  return subscribe;
}

// The answer's frame as a T, or why there is none.
template <typename T>
Result<T> decode_answer(const Result<wire::Frame>& answer, wire::FrameKind kind) {
  if (!answer) return base::fail(answer.error());
  if (answer->header.kind != kind) {
    return base::fail(ErrorCode::kUnexpectedFrame, "the broker answered with another frame");
  }
  return wire::decode<T>(answer->header, answer->body.view());
}

}  // namespace

void SubscriptionTable::add(const std::shared_ptr<SubscriptionCore>& core, InfoSlot slot,
                            Connection* connection) {
  Entry& entry = entries_[core->id()];
  entry.core = core;
  entry.slot = std::move(slot);
  if (connection != nullptr) subscribe(core->id(), *connection);
}

void SubscriptionTable::subscribe(std::uint32_t id, Connection& connection) {
  const Entry& entry = entries_[id];
  const auto core = entry.core.lock();
  if (core == nullptr) return;  // its end is queued already
  const std::uint64_t correlation = requests_.add(
      [this, id](Result<wire::Frame> answer) { on_subscribed(id, std::move(answer)); });
  wire::Subscribe subscribe = make_subscribe(id, core->options(), core->first_credit());
  // What a member of a group did not get, the others may have got.
  if (core->options().share.empty()) {
    const std::uint64_t next = core->next_sequence();
    subscribe.resume = {entry.session, id, next == 0 ? 0 : next - 1};
  }
  connection.send(subscribe, correlation);
}

void SubscriptionTable::on_subscribed(std::uint32_t id, Result<wire::Frame> answer) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  auto subscribed = decode_answer<wire::Subscribed>(answer, wire::FrameKind::kSubscribed);
  if (!subscribed) {
    // A lost connection makes it again when there is a new one.
    if (subscribed.error().code != ErrorCode::kConnectionLost) refused(id, subscribed.error());
    return;
  }
  if (const auto core = found->second.core.lock()) in_force(found->second, *core, *subscribed);
}

void SubscriptionTable::tell_return(const Entry& entry, SubscriptionCore& core,
                                    const wire::Resumed& resumed) {
  Gap gap;
  gap.first_sequence = core.next_sequence();
  gap.reason = "disconnected";
  if (resumed.known && resumed.matched >= gap.first_sequence) {
    gap.last_sequence = resumed.matched;
    gap.count = gap.last_sequence - gap.first_sequence + 1;
  }
  const bool missed_nothing = resumed.known && gap.count == 0;
  if (!missed_nothing) core.put(std::move(gap));
  core.put(Reconnected{*entry.lost_because, clock_.now() - entry.lost_at, resumed.known});
}

void SubscriptionTable::in_force(Entry& entry, SubscriptionCore& core,
                                 const wire::Subscribed& subscribed) {
  if (entry.lost_because && entry.session != 0) tell_return(entry, core, subscribed.resumed);
  entry.lost_because.reset();
  entry.session = session_;
  SubscriptionInfo info;
  info.queue_messages = subscribed.max_messages;
  info.queue_bytes = subscribed.max_bytes;
  info.max_lag = Duration(static_cast<std::int64_t>(subscribed.max_lag_ns));
  info.overflow = subscribed.overflow;
  info.next_sequence = subscribed.next_sequence;
  core.set_info(info);
  if (const InfoSlot slot = std::exchange(entry.slot, nullptr)) slot->set(std::move(info));
}

void SubscriptionTable::refused(std::uint32_t id, const Error& error) {
  const auto found = entries_.find(id);
  const Entry entry = std::move(found->second);
  entries_.erase(found);
  if (entry.slot != nullptr) entry.slot->set(base::fail(error));
  if (const auto core = entry.core.lock()) core->end(error);
}

void SubscriptionTable::remove(std::uint32_t id, Connection* connection, AccountDone done) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return done(base::fail(ErrorCode::kClosed));
  if (connection == nullptr) {
    refused(id, {ErrorCode::kClosed, {}});
    return done(base::fail(ErrorCode::kConnectionLost, "its account went with the connection"));
  }
  // Deliveries still come until the answer; the entry goes with it.
  auto on_answer = [this, id, done = std::move(done)](Result<wire::Frame> answer) {
    if (entries_.contains(id)) refused(id, {ErrorCode::kClosed, {}});
    auto account = decode_answer<wire::Unsubscribed>(answer, wire::FrameKind::kUnsubscribed);
    if (!account) return done(base::fail(account.error()));
    done(SubscriptionAccount{account->matched, account->delivered, account->dropped,
                             account->discarded});
  };
  wire::Unsubscribe unsubscribe;
  unsubscribe.subscription = id;
  connection->send(unsubscribe, requests_.add(std::move(on_answer)));
}

void SubscriptionTable::add_internal(std::uint32_t id, std::string filter, Connection& connection,
                                     std::function<void(const MessageBatch&)> sink,
                                     std::function<void(Status)> done) {
  internal_[id] = Internal{std::move(sink), {}};
  SubscribeOptions options;
  options.filters.push_back(std::move(filter));
  auto on_answer = [done = std::move(done)](Result<wire::Frame> answer) {
    auto subscribed = decode_answer<wire::Subscribed>(answer, wire::FrameKind::kSubscribed);
    done(subscribed ? Status() : Status(base::fail(subscribed.error())));
  };
  connection.send(make_subscribe(id, options, {kInternalMessages, kInternalBytes}),
                  requests_.add(std::move(on_answer)));
}

void SubscriptionTable::send_credit(SubscriptionCore& core, Connection& connection) {
  // SUBSCRIBE went out when this connection opened, or since, and credit may follow it at once.
  if (!entries_.contains(core.id())) return;
  const CreditDue due = core.take_credit_due();
  if (due.messages == 0) return;  // its first credit on this connection has counted it
  wire::Credit credit;
  credit.subscription = core.id();
  credit.messages = due.messages;
  credit.bytes = due.bytes;
  connection.send(credit, 0);
}

void SubscriptionTable::on_open(Connection& connection, std::uint64_t session) {
  session_ = session;
  for (const std::uint32_t id : ids()) subscribe(id, connection);
}

void SubscriptionTable::on_lost(const Error& reason) {
  topic_names_.clear();
  internal_.clear();
  for (auto& [id, entry] : entries_) {
    if (entry.lost_because) continue;
    entry.lost_because = reason;
    entry.lost_at = clock_.now();
  }
}

void SubscriptionTable::close(const Error& reason) {
  for (const std::uint32_t id : ids()) refused(id, reason);
}

void SubscriptionTable::on_topic_name(std::uint32_t id, std::string_view name) {
  topic_names_[id] = std::make_shared<const std::string>(name);
}

std::string SubscriptionTable::topic_name(std::uint32_t id) const {
  const auto found = topic_names_.find(id);
  return found == topic_names_.end() ? std::string() : *found->second;
}

Status SubscriptionTable::on_deliver(const wire::Frame& frame, Connection& connection) {
  auto deliver = wire::decode<wire::Deliver>(frame.header, frame.body.view());
  if (!deliver) return base::fail(deliver.error());
  const auto topic = topic_names_.find(deliver->topic);
  if (topic == topic_names_.end()) {
    return base::fail(ErrorCode::kUnknownTopicId, "DELIVER of a topic that was not named");
  }
  auto body = make_batch_body(memory_, frame, *deliver, topic->second);
  if (!body) return base::fail(body.error());
  MessageBatch batch(std::move(*body));
  if (const auto found = entries_.find(deliver->subscription); found != entries_.end()) {
    if (const auto core = found->second.core.lock()) core->put(std::move(batch));
    return {};
  }
  const auto own = internal_.find(deliver->subscription);
  if (own == internal_.end()) return {};  // unsubscribed, and this was on its way
  CreditDue& due = own->second.due;
  due.messages += batch.size();
  due.bytes += batch.bytes();
  if (due.messages * 2 >= kInternalMessages || due.bytes * 2 >= kInternalBytes) {
    wire::Credit credit;
    credit.subscription = deliver->subscription;
    credit.messages = due.messages;
    credit.bytes = due.bytes;
    due = {};
    connection.send(credit, 0);
  }
  own->second.sink(batch);
  return {};
}

Status SubscriptionTable::on_gap(const wire::Frame& frame) {
  auto told = wire::decode<wire::Gap>(frame.header, frame.body.view());
  if (!told) return base::fail(told.error());
  const auto found = entries_.find(told->subscription);
  if (found == entries_.end()) return {};
  Gap gap;
  gap.first_sequence = frame.header.correlation;
  gap.last_sequence = told->last_sequence;
  gap.count = told->count;
  gap.bytes = told->bytes;
  gap.reason = gap_reason_text(told->reason);
  if (const auto core = found->second.core.lock()) core->put(std::move(gap));
  return {};
}

bool SubscriptionTable::on_error(std::uint32_t id, const Error& error) {
  if (!entries_.contains(id)) return false;
  refused(id, error);
  return true;
}

std::vector<std::uint32_t> SubscriptionTable::ids() const {
  std::vector<std::uint32_t> all;
  all.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) all.push_back(id);
  return all;
}

}  // namespace sluice::detail
