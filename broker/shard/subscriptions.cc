#include "broker/shard/subscriptions.h"

#include <algorithm>
#include <limits>

#include "broker/protocol/native/native_protocol.h"
#include "broker/shard/groups.h"
#include "broker/shard/ledger_scope.h"
#include "broker/shard/limiting.h"
#include "broker/shard/publishing.h"
#include "libs/base/assert.h"
#include "libs/base/units.h"
#include "libs/wire/topic_name.h"

namespace sluice::shard {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;

namespace {

constexpr std::size_t kMaxFilters = 256;
constexpr std::size_t kMaxNameBytes = 255;

std::string credit_limits(const Options& options) {
  return "one consumer may have " + std::to_string(options.credit_messages_max) + " messages and " +
         base::format_size(options.credit_bytes_max) + " outstanding";
}

std::string hex(std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(16, '0');
  for (std::size_t i = 16; i-- > 0; value >>= 4) out[i] = kDigits[value & 15];
  return out;
}

model::EndReason reason_of(metrics::CloseReason reason) {
  return static_cast<model::EndReason>(static_cast<std::uint8_t>(model::EndReason::kPeer) +
                                       static_cast<std::uint8_t>(reason));
}

Result<queue::Ladder> ladder_of(std::string_view overflow, const Options& options) {
  Result<queue::Ladder> ladder = options.default_ladder;
  if (!overflow.empty()) ladder = queue::parse_ladder(overflow);
  if (!ladder) return ladder;
  if (ladder->spills() && ladder->spill_bytes == 0) ladder->spill_bytes = options.spill_bytes;
  if (ladder->spill_bytes > options.spill_bytes_max) {
    return fail(ErrorCode::kBadArgument, "spill of " + base::format_size(ladder->spill_bytes) +
                                             " where this broker allows " +
                                             base::format_size(options.spill_bytes_max));
  }
  return ladder;
}

}  // namespace

std::string Subscription::shown_name() const {
  if (group) return group->name;
  if (!name.empty()) return name;
  const std::string& client = connection->client.empty() ? connection->peer : connection->client;
  return client + "#" + std::to_string(id.value());
}

// --- Beginning -----------------------------------------------------------------------------

Result<SubscribeSpec> Subscriptions::check(const Connection& connection,
                                           const wire::Subscribe& subscribe) const {
  const Options& options = core_.options;
  if (subscribe.subscription == 0) return fail(ErrorCode::kBadArgument, "subscription id 0");
  if (connection.consumers.contains(subscribe.subscription)) {
    return fail(ErrorCode::kDuplicateSubscription, std::to_string(subscribe.subscription));
  }
  if (connection.consumers.size() >= options.max_subscriptions) {
    return fail(ErrorCode::kSubscriptionLimit, std::to_string(options.max_subscriptions));
  }
  if (subscribe.from != wire::StartFrom::kNew || subscribe.ack_mode != wire::AckMode::kNone) {
    return fail(ErrorCode::kUnsupportedFeature,
                "history and acknowledgements need a stream, and this broker has none");
  }
  if (subscribe.name.size() > kMaxNameBytes || subscribe.group.size() > kMaxNameBytes) {
    return fail(ErrorCode::kBadArgument, "a name has at most 255 bytes");
  }
  if (subscribe.filters.empty() || subscribe.filters.size() > kMaxFilters) {
    return fail(ErrorCode::kBadArgument, "a subscription has 1 to 256 filters");
  }
  if (subscribe.credit_messages > options.credit_messages_max ||
      subscribe.credit_bytes > options.credit_bytes_max) {
    return fail(ErrorCode::kCreditOverflow, credit_limits(options));
  }

  if (core_.memory.is_full()) return core_.memory_full("a subscription");

  SubscribeSpec spec;
  const std::string inbox = "$inbox." + hex(connection.session) + ".";
  for (const std::string_view filter : subscribe.filters) {
    if (Status valid = wire::check_filter(filter); !valid) return fail(valid.error());
    if (filter.front() == '$' && !filter.starts_with(inbox)) {
      return fail(ErrorCode::kReservedTopic, std::string(filter) + ", where this client may only " +
                                                 "subscribe below " + inbox);
    }
    spec.filters.emplace_back(filter);
  }
  std::sort(spec.filters.begin(), spec.filters.end());
  spec.filters.erase(std::unique(spec.filters.begin(), spec.filters.end()), spec.filters.end());

  spec.bounds = options.default_bounds;
  if (subscribe.max_messages != 0) spec.bounds.max_messages = subscribe.max_messages;
  if (subscribe.max_bytes != 0) spec.bounds.max_bytes = subscribe.max_bytes;
  if (subscribe.max_lag_ns != 0) {
    const std::uint64_t most = std::numeric_limits<std::int64_t>::max() / 4;
    spec.bounds.max_lag =
        base::Duration(static_cast<std::int64_t>(std::min(subscribe.max_lag_ns, most)));
  }
  if (spec.bounds.max_messages > options.largest_bounds.max_messages) {
    return fail(ErrorCode::kBadArgument, "queue of " + std::to_string(spec.bounds.max_messages) +
                                             " messages where this broker allows " +
                                             std::to_string(options.largest_bounds.max_messages));
  }
  if (spec.bounds.max_bytes > options.largest_bounds.max_bytes) {
    return fail(ErrorCode::kBadArgument, "queue of " + base::format_size(spec.bounds.max_bytes) +
                                             " where this broker allows " +
                                             base::format_size(options.largest_bounds.max_bytes));
  }
  Result<queue::Ladder> ladder = ladder_of(subscribe.overflow, options);
  if (!ladder) return fail(ladder.error());
  spec.ladder = *ladder;
  if (subscribe.group.empty()) spec.resume = subscribe.resume;
  return spec;
}

Status Subscriptions::begin(Connection& connection, std::uint64_t correlation,
                            const wire::Subscribe& subscribe) {
  Result<SubscribeSpec> spec = check(connection, subscribe);
  if (!spec) return fail(spec.error());
  Consumer consumer;
  consumer.correlation = correlation;
  if (!subscribe.group.empty()) {
    consumer.shared = true;
    consumer.joined = false;
    consumer.home = groups_->home_of(subscribe.group);
    consumer.join = groups_->next_join();
    consumer.granted.messages = subscribe.credit_messages;
    consumer.granted.bytes = static_cast<std::int64_t>(subscribe.credit_bytes);
    connection.consumers.emplace(subscribe.subscription, consumer);
    groups_->join(connection, consumer, subscribe, *spec);
    return {};
  }
  Subscription& subscription = create(*spec);
  subscription.connection = &connection;
  subscription.id = model::SubscriptionId(subscribe.subscription);
  subscription.name = subscribe.name;
  subscription.correlation = correlation;
  subscription.credit.messages = subscribe.credit_messages;
  subscription.credit.bytes = static_cast<std::int64_t>(subscribe.credit_bytes);
  consumer.home = core_.id;
  consumer.queue = {subscription.slot, subscription.serial};
  connection.consumers.emplace(subscribe.subscription, consumer);
  if (subscription.awaited == 0) activate(subscription);
  return {};
}

Subscription& Subscriptions::create(const SubscribeSpec& spec) {
  if (free_.empty()) {
    free_.emplace_back(static_cast<std::uint32_t>(table_.size()));
    table_.emplace_back();
  }
  const model::SubscriptionSlot slot = free_.back();
  free_.pop_back();
  const std::uint64_t serial = ++last_serial_;
  const std::uint64_t token = (serial << 32) | slot.value();
  table_[slot.value()] =
      std::make_unique<Subscription>(spec.bounds, spec.ladder, &core_.spill, token);
  Subscription& subscription = *table_[slot.value()];
  subscription.slot = slot;
  subscription.serial = serial;
  core_.memory.queues_moved(0, subscription.queue.memory_bytes());  // a spill, if it has one
  subscription.filters = spec.filters;
  subscription.strict = spec.ladder.rejects_first();
  core_.states.begin(subscription);
  remember(subscription, true);
  for (const std::string& filter : subscription.filters) core_.index.add(filter, slot);
  subscription.resumed = end_of(spec.resume);
  core_.each_other_shard([&](model::ShardId shard) {
    for (std::size_t i = 0; i < subscription.filters.size(); ++i) {
      // Letters of one pair keep their order, so the answer to the last speaks for all.
      const bool last = i + 1 == subscription.filters.size();
      core_.mail.post(shard, InterestLetter{subscription.filters[i], subscription.strict, true,
                                            last ? token : 0, last ? spec.resume : wire::Resume{}});
    }
    ++subscription.awaited;
  });
  return subscription;
}

void Subscriptions::remember(Subscription& subscription, bool begins) {
  const bool blocks = subscription.queue.ladder().blocks();
  const std::size_t change = begins ? 1 : static_cast<std::size_t>(-1);
  size_ += change;
  if (blocks) blocking_ += change;
  if (subscription.strict) strict_ += change;
  core_.metrics.subscriptions.set(static_cast<std::int64_t>(size_));
}

void Subscriptions::on_interest(model::ShardId from, InterestLetter&& letter) {
  if (letter.add) {
    core_.index.add_remote(letter.filter, from, letter.strict);
  } else {
    core_.index.remove_remote(letter.filter, from, letter.strict);
  }
  if (letter.token == 0) return;
  core_.mail.post(from, InterestDoneLetter{letter.token, end_of(letter.resume)});
}

void Subscriptions::on_interest_done(const InterestDoneLetter& letter) {
  Subscription* subscription = find_by_token(letter.token);
  if (subscription == nullptr) return;
  ASSERT(subscription->awaited > 0);
  if (letter.resumed.known) subscription->resumed = letter.resumed;
  if (--subscription->awaited == 0) activate(*subscription);
}

Subscription* Subscriptions::find_by_token(std::uint64_t token) {
  Subscription* subscription = find(model::SubscriptionSlot(static_cast<std::uint32_t>(token)));
  const bool same = subscription != nullptr && (subscription->serial & 0xFFFFFFFF) == token >> 32;
  return same ? subscription : nullptr;
}

void Subscriptions::activate(Subscription& subscription) {
  subscription.active = true;
  if (subscription.group) {
    groups_->activate(subscription);
    return;
  }
  const std::string overflow = queue::format_ladder(subscription.queue.ladder());
  const queue::Bounds& bounds = subscription.queue.bounds();
  wire::Subscribed answer;
  answer.subscription = subscription.id.value();
  answer.max_messages = bounds.max_messages;
  answer.max_bytes = bounds.max_bytes;
  answer.max_lag_ns = static_cast<std::uint64_t>(bounds.max_lag.count());
  answer.next_sequence = 1;
  answer.overflow = overflow;
  answer.resumed = subscription.resumed;
  core_.send(*subscription.connection, answer, subscription.correlation);
  if (!end_early(*subscription.connection, answer.subscription)) wake(subscription);
}

// --- Ending --------------------------------------------------------------------------------

queue::Ledger Subscriptions::destroy(model::SubscriptionSlot slot, model::EndReason why) {
  Subscription& subscription = at(slot);
  {
    LedgerScope scope(core_, subscription);
    subscription.queue.close();
  }
  settle(subscription);
  const queue::Ledger ledger = subscription.queue.ledger();
  ASSERT(ledger.imbalance() == 0);
  keep_account(subscription, why);
  core_.states.end(subscription);
  for (const std::string& filter : subscription.filters) {
    core_.index.remove(filter, slot);
    core_.each_other_shard([&](model::ShardId shard) {
      core_.mail.post(shard, InterestLetter{filter, subscription.strict, false, 0, {}});
    });
  }
  if (subscription.ready) std::erase(subscription.connection->ready, slot);
  remember(subscription, false);
  core_.memory.queues_moved(subscription.queue.memory_bytes(), 0);
  table_[slot.value()].reset();
  free_.push_back(slot);
  return ledger;
}

Status Subscriptions::end(Connection& connection, std::uint64_t correlation, std::uint32_t id) {
  const auto it = connection.consumers.find(id);
  if (it == connection.consumers.end()) {
    return fail(ErrorCode::kUnknownSubscription, std::to_string(id));
  }
  const Consumer consumer = it->second;
  const bool begun = consumer.shared ? consumer.joined : at(consumer.queue.slot).active;
  if (!begun) {
    connection.early_end = EarlyEnd{id, correlation};
    connection.link->set_reading(false);
    return {};
  }
  connection.consumers.erase(it);
  wire::Unsubscribed answer;
  answer.subscription = id;
  if (consumer.shared) {
    // The account of a shared subscription is the group's and stays with it. What is in flight
    // leaves before the answer does here as well.
    groups_->leave(connection, model::SubscriptionId(id), consumer);
  } else {
    // What is in flight leaves before the answer does.
    Subscription& ending = at(consumer.queue.slot);
    {
      LedgerScope scope(core_, ending);
      ending.queue.release_in_flight();
    }
    const queue::Ledger ledger = destroy(consumer.queue.slot, model::EndReason::kUnsubscribed);
    answer.matched = ledger.matched;
    answer.delivered = ledger.delivered;
    answer.dropped = ledger.dropped_total();
    answer.discarded = ledger.discarded;
  }
  core_.send(connection, answer, correlation);
  return {};
}

bool Subscriptions::end_early(Connection& connection, std::uint32_t id) {
  if (!connection.early_end || connection.early_end->subscription != id) return false;
  const EarlyEnd early = *std::exchange(connection.early_end, std::nullopt);
  if (const Status ended = end(connection, early.correlation, id); !ended) {
    core_.metrics.protocol_errors[ended.error().code].add();
    protocol::native::encode_error(connection.control, ended.error(), early.correlation);
    core_.touch(connection);
  }
  core_.unread.push_back(connection.id);
  return true;
}

void Subscriptions::end_all(Connection& connection) {
  connection.early_end.reset();
  const auto consumers = std::exchange(connection.consumers, {});
  connection.ready.clear();  // first, as each would look for its place in it
  groups_->leave_all(connection, consumers);
  for (const auto& [id, consumer] : consumers) {
    if (!consumer.shared) destroy(consumer.queue.slot, reason_of(connection.close_reason));
  }
}

void Subscriptions::disconnect(model::SubscriptionSlot slot) {
  Subscription* subscription = find(slot);
  if (subscription == nullptr) return;
  if (subscription->group) {
    groups_->disconnect(*subscription);
    return;
  }
  const queue::Ledger ledger = subscription->queue.ledger();
  const queue::Bounds& bounds = subscription->queue.bounds();
  const base::Error error{
      ErrorCode::kSlowConsumer,
      "subscription " + subscription->shown_name() + " holds " + std::to_string(ledger.queued) +
          " of " + std::to_string(bounds.max_messages) + " messages, " +
          base::format_size(subscription->queue.held_bytes()) + " of " +
          base::format_size(bounds.max_bytes) + "; delivered " + std::to_string(ledger.delivered) +
          " of " + std::to_string(ledger.matched)};
  Connection& connection = *subscription->connection;
  protocol::native::encode_error(connection.control, error, 0, subscription->id.value());
  core_.close(connection, metrics::CloseReason::kSlowConsumer, &error);
}

// --- Turns ---------------------------------------------------------------------------------

Status Subscriptions::add_credit(Connection& connection, const model::CreditCommand& credit) {
  const auto it = connection.consumers.find(credit.subscription);
  if (it == connection.consumers.end()) {
    return fail(ErrorCode::kUnknownSubscription, std::to_string(credit.subscription));
  }
  Consumer& consumer = it->second;
  queue::Credit* held = consumer.shared ? &consumer.granted : &at(consumer.queue.slot).credit;
  if (credit.messages == 0 && credit.bytes == 0) {
    return fail(ErrorCode::kBadArgument, "CREDIT of no messages and no bytes");
  }
  const Options& options = core_.options;
  const auto bytes_max = static_cast<std::int64_t>(options.credit_bytes_max);
  if (credit.messages > options.credit_messages_max || credit.bytes > options.credit_bytes_max ||
      held->messages + credit.messages > options.credit_messages_max ||
      held->bytes + static_cast<std::int64_t>(credit.bytes) > bytes_max) {
    return fail(ErrorCode::kCreditOverflow, credit_limits(options));
  }
  held->messages += credit.messages;
  held->bytes += static_cast<std::int64_t>(credit.bytes);
  if (consumer.shared) {
    groups_->add_credit(connection, consumer, model::SubscriptionId(credit.subscription),
                        {credit.messages, static_cast<std::int64_t>(credit.bytes)});
    return {};
  }
  wake(at(consumer.queue.slot));
  return {};
}

void Subscriptions::wake(Subscription& subscription) {
  if (subscription.group) {
    groups_->wake(subscription);
    return;
  }
  core_.states.update(subscription);
  if (subscription.ready || !subscription.active || !subscription.credit.open()) return;
  if (subscription.queue.empty()) return;
  if (subscription.is_held(core_.now)) return;
  if (subscription.paced_by != 0 && Limiting::holds(subscription, core_.now)) return;
  subscription.ready = true;
  subscription.connection->ready.push_back(subscription.slot);
  if (!subscription.connection->output_paused) core_.touch(*subscription.connection);
}

void Subscriptions::settle(Subscription& subscription) {
  if (!subscription.queue.has_settled()) return;
  std::vector<queue::Settled> settlements;
  {
    LedgerScope scope(core_, subscription);  // they are part of its memory
    settlements = subscription.queue.take_settled();
  }
  for (const queue::Settled& settled : settlements) {
    publishing_->on_settled(subscription, settled);
  }
}

void Subscriptions::schedule(Subscription& subscription) {
  base::MonotonicTime at = subscription.queue.next_time();
  at = std::min(at, Limiting::wakes_at(subscription, core_.now));
  if (subscription.rehearsed != nullptr && subscription.rehearsed->held_until > core_.now) {
    at = std::min(at, subscription.rehearsed->held_until);
  }
  if (at >= subscription.timer) return;
  subscription.timer = at;
  timers_.push({at, subscription.slot, subscription.serial});
  bound_timers();
}

// Makes the heap anew when most of it is of no use any more.
void Subscriptions::bound_timers() {
  if (timers_.size() <= timers_max(table_.size())) return;
  std::vector<Timer> wanted;
  each([&wanted](const Subscription& subscription) {
    if (subscription.timer == base::kNever) return;
    wanted.push_back({subscription.timer, subscription.slot, subscription.serial});
  });
  timers_ = decltype(timers_)({}, std::move(wanted));
}

base::MonotonicTime Subscriptions::next_time() const {
  return timers_.empty() ? base::kNever : timers_.top().at;
}

void Subscriptions::on_time() {
  while (!timers_.empty() && timers_.top().at <= core_.now) {
    const Timer timer = timers_.top();
    timers_.pop();
    Subscription* subscription = find(timer.slot);
    if (subscription == nullptr || subscription->serial != timer.serial) continue;
    subscription->timer = base::kNever;
    pass_time(*subscription);
  }
}

void Subscriptions::pass_time(Subscription& subscription) {
  bool disconnects = false;
  {
    LedgerScope scope(core_, subscription);
    disconnects = subscription.queue.on_time(core_.now);
  }
  settle(subscription);
  if (disconnects) return disconnect(subscription.slot);
  wake(subscription);
  schedule(subscription);
}

void Subscriptions::on_spill() {
  for (const std::uint64_t token : core_.spill.take_arrived()) {
    if (Subscription* subscription = find_by_token(token)) pass_time(*subscription);
  }
}

}  // namespace sluice::shard
