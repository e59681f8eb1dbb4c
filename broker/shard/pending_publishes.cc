// The second half of Publishing: what is pending, what other shards say, and receipts.

#include <algorithm>
#include <bit>

#include "broker/config/memory_costs.h"
#include "broker/shard/ledger_scope.h"
#include "broker/shard/publishing.h"
#include "libs/base/assert.h"
#include "libs/wire/topic_name.h"

namespace sluice::shard {

using base::ErrorCode;
using base::fail;
using base::Status;

namespace {

// How long a refused publisher should wait where nothing is known of how fast the queue drains, and
// between what bounds an estimate counts.
constexpr auto kRetryAfter = std::chrono::milliseconds(100);
constexpr auto kRetryAfterMin = std::chrono::milliseconds(1);
constexpr auto kRetryAfterMax = std::chrono::minutes(1);

std::uint32_t retry_after_ms(base::Duration estimate) {
  if (estimate.count() == 0) return static_cast<std::uint32_t>(kRetryAfter.count());
  const auto bounded = std::clamp<base::Duration>(estimate, kRetryAfterMin, kRetryAfterMax);
  return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::milliseconds>(bounded).count());
}

bool is_retry(ErrorCode code) {
  return base::error_info(code).error_class == base::ErrorClass::retry;
}

}  // namespace

Status Publishing::open_topic(Connection& connection, std::uint64_t correlation,
                              std::string_view name) {
  if (!name.empty() && name.front() == '$' && !name.starts_with("$inbox.")) {
    return fail(ErrorCode::kReservedTopic, std::string(name));
  }
  auto topic = core_.topics.intern(name);
  if (!topic) return fail(topic.error());
  const std::uint32_t id = wire_topic(*topic);
  auto it = connection.topics.find(id);
  if (it == connection.topics.end()) {
    if (connection.topics.size() >= core_.options.max_topics_open) {
      return fail(
          ErrorCode::kTopicLimit,
          "this connection has " + std::to_string(connection.topics.size()) + " topics open");
    }
    if (core_.memory.is_full()) return core_.memory_full("an open topic");
    core_.charge(connection, config::kOpenTopicBytes);
    it = connection.topics.emplace(id, OpenTopic{*topic, {}}).first;
    it->second.window.left = core_.options.full_window();
    core_.states.begin(it->second.window);
    wire::Topic answer;
    answer.topic = id;
    answer.grant = core_.options.full_window();
    answer.name = name;
    core_.send(connection, answer, correlation);
    return {};
  }
  wire::Topic answer;  // open already: the same id, and nothing granted anew
  answer.topic = id;
  answer.name = name;
  core_.send(connection, answer, correlation);
  return {};
}

// --- What is pending -----------------------------------------------------------------------

Publishing::Pending& Publishing::claim() {
  if (free_.empty()) {
    const auto index = static_cast<std::uint32_t>(pending_.size());
    pending_.emplace_back().index = index;
    free_.push_back(index);
  }
  Pending& pending = pending_[free_.back()];
  free_.pop_back();
  ASSERT(!pending.used);
  pending.used = true;
  ++pending_count_;
  return pending;
}

void Publishing::release(Pending& pending) {
  ASSERT(pending.used);
  const std::uint32_t index = pending.index;
  const std::uint32_t generation = pending.generation + 1;
  pending = Pending{};
  pending.index = index;
  pending.generation = generation == 0 ? 1 : generation;
  free_.push_back(index);
  --pending_count_;
}

model::PublishToken Publishing::token_of(const Pending& pending) {
  return model::PublishToken((std::uint64_t{pending.generation} << 32) | pending.index);
}

Publishing::Pending* Publishing::find(model::PublishToken token) {
  const auto index = static_cast<std::uint32_t>(token.value());
  if (index >= pending_.size()) return nullptr;
  Pending& pending = pending_[index];
  return pending.used && token_of(pending) == token ? &pending : nullptr;
}

void Publishing::set_blocked(Pending& pending, bool blocked) {
  ASSERT(!pending.remote);
  if (pending.blocked == blocked) return;
  pending.blocked = blocked;
  Connection* connection = core_.find(pending.connection);
  if (connection == nullptr) return;
  Window* window = find_window(*connection, pending.outcome.topic);
  ASSERT(window != nullptr);
  if (blocked) {
    ++window->blocked;
  } else {
    ASSERT(window->blocked > 0);
    --window->blocked;
  }
  core_.states.update(*connection, *window, pending.outcome.topic);
}

void Publishing::tell_waiting(const Pending& pending) {
  if (pending.blockers.empty()) return;
  PublishWaitingLetter letter;
  letter.token = pending.from_token;
  letter.subscription = subscriptions_.at(pending.blockers.front().slot).shown_name();
  core_.mail.post(pending.from, std::move(letter));
  core_.metrics.mailbox_posted.add();
}

void Publishing::on_waiting(model::ShardId from, PublishWaitingLetter&& letter) {
  Pending* pending = find(letter.token);
  ASSERT(pending != nullptr && !pending->remote);  // its answer comes behind this
  pending->remote_blockers.emplace_back(from, std::move(letter.subscription));
  set_blocked(*pending, true);
}

std::vector<std::string> Publishing::blockers(const Connection& connection,
                                              std::uint32_t topic) const {
  std::vector<std::string> names;
  const auto add = [&names](std::string name) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  };
  for (const Pending& pending : pending_) {
    if (!pending.used || pending.remote || pending.connection != connection.id) continue;
    if (pending.outcome.topic != topic) continue;
    for (const Blocker& blocker : pending.blockers)
      add(subscriptions_.at(blocker.slot).shown_name());
    for (const auto& [shard, name] : pending.remote_blockers) add(name);
  }
  return names;
}

void Publishing::each_blocked(std::size_t most,
                              const std::function<void(model::ConnectionId, std::uint32_t,
                                                       const std::string&)>& visit) const {
  for (std::size_t i = 0; i < std::min(most, pending_.size()); ++i) {
    const Pending& pending = pending_[i];
    if (!pending.used || pending.remote || !pending.blocked) continue;
    for (const Blocker& blocker : pending.blockers) {
      visit(pending.connection, pending.outcome.topic,
            subscriptions_.at(blocker.slot).shown_name());
    }
    for (const auto& [shard, name] : pending.remote_blockers) {
      visit(pending.connection, pending.outcome.topic, name);
    }
  }
}

void Publishing::finish_if_done(Pending& pending) {
  if (pending.shards_open != 0 || pending.copies_open != 0) return;
  if (pending.blocked) set_blocked(pending, false);
  if (pending.remote) {
    PublishResultLetter letter;
    letter.token = pending.from_token;
    letter.copies = std::move(pending.outcome.copies);
    core_.mail.post(pending.from, std::move(letter));
    core_.metrics.mailbox_posted.add();
  } else if (Connection* connection = core_.find(pending.connection)) {
    resolve(*connection, pending.outcome);
  }
  release(pending);
}

void Publishing::on_settled(const Subscription& subscription, const queue::Settled& settled) {
  Pending* pending = find(settled.token);
  ASSERT(pending != nullptr);
  Copies& copies = pending->outcome.copies;
  copies.accepted += settled.accepted;
  copies.spilled += settled.spilled;
  if (settled.dropped != 0) {
    copies.drop(subscription.shown_name(), settled.dropped, settled.drop_reason);
  }
  const std::uint64_t count = std::uint64_t{settled.accepted} + settled.dropped;
  ASSERT(count <= pending->copies_open);
  pending->copies_open -= count;
  const auto blocker =
      std::find_if(pending->blockers.begin(), pending->blockers.end(), [&](const Blocker& entry) {
        return entry.slot == subscription.slot && entry.serial == subscription.serial;
      });
  ASSERT(blocker != pending->blockers.end() && count <= blocker->copies);
  blocker->copies -= count;
  if (blocker->copies == 0) pending->blockers.erase(blocker);
  finish_if_done(*pending);
}

// --- Between shards ------------------------------------------------------------------------

model::TopicRef Publishing::local_topic(model::ShardId from, const PublishLetter& letter) {
  if (foreign_.empty()) foreign_.resize(core_.shard_count());
  std::vector<Foreign>& known = foreign_[from.value()];
  const std::uint32_t slot = letter.topic_slot.value();
  if (slot >= known.size()) known.resize(slot + std::size_t{1});
  Foreign& entry = known[slot];
  if (entry.known && entry.generation == letter.topic_generation) {
    model::TopicRef topic = core_.topics.find(entry.slot, entry.local_generation);
    if (topic) return topic;
  }
  model::TopicRef topic = core_.topics.intern(letter.topic);
  entry = {letter.topic_generation, topic.slot(), topic.generation(), true};
  return topic;
}

void Publishing::on_publish(model::ShardId from, PublishLetter&& letter) {
  const model::TopicRef topic = local_topic(from, letter);
  if (letter.phase == PublishLetter::Phase::kReserve) {
    on_reserve(from, std::move(letter), topic);
    return;
  }
  HeldReservation held;
  if (letter.phase != PublishLetter::Phase::kDirect) held = take_held(from, letter.token);
  if (letter.phase == PublishLetter::Phase::kAbort) {
    unreserve(held.audience, held.messages, held.records);
    return;
  }
  Pending& pending = claim();
  pending.remote = true;
  pending.from = from;
  pending.from_token = letter.token;
  const wire::BatchHeader header = wire::read_batch_header(letter.batch.view());
  auto slice = model::Slice::whole(std::move(letter.batch), topic, header);
  slice.origin = letter.origin;
  slice.earliest_deadline = letter.earliest_deadline;
  push_pending(pending, slice, {letter.deadline, letter.account}, held.audience);
}

void Publishing::on_reserve(model::ShardId from, PublishLetter&& letter,
                            const model::TopicRef& topic) {
  PublishResultLetter answer;
  answer.token = letter.token;
  answer.reserved = true;
  Publish publish;
  publish.need_all = letter.need_all;
  publish.need_names = std::move(letter.need_names);
  publish.deadline = letter.deadline;
  const wire::BatchHeader header = wire::read_batch_header(letter.batch.view());
  publish.slice = model::Slice::whole(std::move(letter.batch), topic, header);
  const topic::Match& match = core_.topics.match(topic);
  answer.refused = !has_room(match, publish, answer.copies, answer.names);
  if (!answer.refused) {
    held_.push_back(
        {from, letter.token, reserve(match, publish), publish.slice.count, publish.slice.records});
  }
  core_.mail.post(from, std::move(answer));
  core_.metrics.mailbox_posted.add();
}

Publishing::HeldReservation Publishing::take_held(model::ShardId from, model::PublishToken token) {
  const auto it = std::find_if(held_.begin(), held_.end(), [&](const HeldReservation& held) {
    return held.from == from && held.token == token;
  });
  ASSERT(it != held_.end());
  HeldReservation taken = std::exchange(*it, std::move(held_.back()));
  held_.pop_back();
  return taken;
}

void Publishing::on_result(model::ShardId from, PublishResultLetter&& letter) {
  Pending* pending = find(letter.token);
  ASSERT(pending != nullptr && pending->shards_open > 0);
  --pending->shards_open;
  std::erase_if(pending->remote_blockers, [&](const auto& entry) { return entry.first == from; });
  if (!letter.reserved) {
    pending->outcome.copies.add(letter.copies);
    finish_if_done(*pending);
    return;
  }
  pending->outcome.copies.add(letter.copies);
  if (letter.refused) {
    pending->refused = true;
  } else {
    pending->reserved_shards |= std::uint64_t{1} << from.value();
  }
  for (const std::string& name : letter.names) std::erase(pending->names_missing, name);
  if (pending->shards_open == 0) on_agreed(*pending);
}

// --- Withdrawing -----------------------------------------------------------------------------

base::Result<model::TopicRef> Publishing::topic_of(Connection& connection,
                                                   const model::CancelCommand& command) {
  if (!command.name.empty()) return core_.topics.intern(command.name);
  const auto it = connection.topics.find(command.topic);
  if (it == connection.topics.end()) {
    return fail(ErrorCode::kUnknownTopicId, "id " + std::to_string(command.topic));
  }
  return it->second.topic;
}

std::uint64_t Publishing::withdraw_early(Connection& connection, std::uint32_t topic,
                                         std::uint64_t number) {
  Window* window = find_window(connection, topic);
  ASSERT(window != nullptr);
  const auto parked =
      std::find_if(window->parked.begin(), window->parked.end(),
                   [number](const Publish& publish) { return publish.number == number; });
  if (parked != window->parked.end()) {
    const Outcome outcome = outcome_of(*parked, topic);
    reject(connection, outcome, ErrorCode::kCanceled);
    drop_parked(connection, *window, topic, parked);
    return outcome.messages;
  }
  if (!window->settling) return 0;
  for (Pending& pending : pending_) {
    if (pending.publish == nullptr || pending.connection != connection.id) continue;
    if (pending.outcome.number != number || pending.cancelled) continue;
    pending.cancelled = true;
    return pending.outcome.messages;
  }
  return 0;
}

void Publishing::abandon(Connection& connection) {
  if (connection.producer == nullptr) return;
  const auto forget = [&connection](const Publish& publish) {
    if (publish.producer_sequence == kNoProducer) return;
    connection.producer->give_back(publish.producer_sequence, publish.slice.count);
  };
  for (const Publish& publish : connection.named.parked) forget(publish);
  for (const auto& [id, open] : connection.topics) {
    for (const Publish& publish : open.window.parked) forget(publish);
  }
  for (Pending& pending : pending_) {
    if (pending.publish == nullptr || pending.connection != connection.id) continue;
    if (std::exchange(pending.cancelled, true)) continue;
    forget(*pending.publish);
  }
}

// --- Receipts and grants -------------------------------------------------------------------

Publishing::Outcome Publishing::outcome_of(const Publish& publish, std::uint32_t topic) {
  Outcome outcome;
  outcome.number = publish.number;
  outcome.topic = topic;
  outcome.batch_bytes = publish.slice.batch.size();
  outcome.messages = publish.slice.count;
  outcome.receipt_mode = publish.receipt_mode;
  outcome.received_at = publish.received_at;
  outcome.producer_sequence = publish.producer_sequence;
  return outcome;
}

void Publishing::resolve(Connection& connection, const Outcome& outcome) {
  give_back(connection, outcome.topic, outcome.batch_bytes);
  const Copies& copies = outcome.copies;
  if (copies.dropped == 0 && copies.rejected == 0) {
    add_receipt(connection, outcome, wire::ReceiptStatus::kAccepted, ErrorCode::kNone);
  } else if (copies.accepted > 0) {
    add_receipt(connection, outcome, wire::ReceiptStatus::kPartial, ErrorCode::kNone);
  } else {
    tell_untaken(connection, outcome, copies.reason_of_loss());
  }
}

void Publishing::reject(Connection& connection, const Outcome& outcome, ErrorCode reason) {
  give_back(connection, outcome.topic, outcome.batch_bytes);
  Outcome told = outcome;
  told.copies.rejected = told.copies.matched;
  told.copies.accepted = 0;
  told.copies.spilled = 0;
  tell_untaken(connection, told, reason);
}

// Nobody has any of it: who sends it again sends no duplicate.
void Publishing::tell_untaken(Connection& connection, const Outcome& outcome, ErrorCode reason) {
  if (outcome.producer_sequence != kNoProducer && connection.producer != nullptr) {
    connection.producer->give_back(outcome.producer_sequence, outcome.messages);
  }
  core_.metrics.publish_refusals[reason].add();
  const auto status = reason == ErrorCode::kDeadlineExceeded ? wire::ReceiptStatus::kExpired
                      : reason == ErrorCode::kCanceled       ? wire::ReceiptStatus::kCancelled
                                                             : wire::ReceiptStatus::kRejected;
  add_receipt(connection, outcome, status, reason);
}

void Publishing::add_receipt(Connection& connection, const Outcome& outcome,
                             wire::ReceiptStatus status, ErrorCode reason) {
  core_.metrics.publishes[status].add();
  ASSERT(connection.unresolved > 0);
  --connection.unresolved;
  if (connection.ended) core_.touch(connection);  // without a receipt too, as it may be the last
  const bool fine = status == wire::ReceiptStatus::kAccepted;
  if (outcome.receipt_mode == model::ReceiptMode::kNever) return;
  if (fine && outcome.receipt_mode == model::ReceiptMode::kProblems) return;

  const Copies& copies = outcome.copies;
  const auto durability = copies.accepted > 0 ? wire::Durability::kMemory : wire::Durability::kNone;
  wire::Receipt& open = connection.receipts;
  const bool extends = connection.receipts_open && fine && copies.refusals.empty() &&
                       outcome.text.empty() && open.status == status &&
                       open.durability == durability && open.subscriptions.empty() &&
                       connection.receipts_last + 1 == outcome.number;
  if (!extends) {
    flush_receipts(connection);
    open = wire::Receipt{};
    open.first_publish = outcome.number;
    open.status = status;
    open.durability = durability;
    open.reason = static_cast<std::uint16_t>(reason);
    if (reason != ErrorCode::kNone && is_retry(reason)) {
      open.retry_after_ms = retry_after_ms(copies.retry_after);
    }
    open.unlisted = copies.unlisted;
    open.text = outcome.text;
    connection.receipts_open = true;
    connection.receipts_since = outcome.received_at;
  }
  connection.receipts_last = outcome.number;
  open.pressure = std::max({open.pressure, copies.pressure, core_.memory.pressure()});
  open.messages += outcome.messages;
  open.matched += copies.matched;
  open.accepted += copies.accepted - copies.spilled;
  open.spilled += copies.spilled;
  open.dropped += copies.dropped;
  open.rejected += copies.rejected;
  if (!copies.refusals.empty() || !outcome.text.empty()) {
    for (const Refusal& refusal : copies.refusals) {
      open.subscriptions.push_back({refusal.copies, refusal.reason, refusal.subscription});
    }
    flush_receipts(connection);  // encoded now: names and text live in `outcome`
  }
  core_.touch(connection);
}

void Publishing::flush_receipts(Connection& connection) {
  if (!connection.receipts_open) return;
  connection.receipts_open = false;
  core_.send(connection, connection.receipts, connection.receipts_last);
  core_.metrics.receipts.add();
  connection.receipts.subscriptions.clear();
  connection.receipts.text = {};
  const std::uint64_t publishes = connection.receipts_last - connection.receipts.first_publish + 1;
  core_.metrics.publish_to_receipt.observe(core_.now - connection.receipts_since, publishes);
}

std::uint32_t Publishing::window_id(const Connection& connection, const Window& window,
                                    const Publish& publish) {
  return &window == &connection.named ? 0 : wire_topic(publish.slice.topic);
}

void Publishing::give_back(Connection& connection, std::uint32_t topic, std::uint64_t bytes) {
  OpenTopic* last = connection.last_topic;
  const bool is_last = topic != 0 && last != nullptr && wire_topic(last->topic) == topic;
  Window* window = is_last ? &last->window : find_window(connection, topic);
  if (window == nullptr || bytes == 0) return;
  window->to_return += bytes;
  if (window->granting || window->to_return * 4 < core_.options.full_window()) return;
  window->granting = true;
  connection.granting.push_back(topic);
  core_.touch(connection);
}

void Publishing::write_due(Connection& connection) {
  flush_receipts(connection);
  for (const std::uint32_t topic : connection.granting) {
    Window* window = find_window(connection, topic);
    ASSERT(window != nullptr);
    window->granting = false;
    window->left += window->to_return;
    core_.send(connection, wire::Grant{topic, 0, window->to_return}, 0);
    window->to_return = 0;
  }
  connection.granting.clear();
}

}  // namespace sluice::shard
