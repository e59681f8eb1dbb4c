#include "broker/shard/publishing.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>

#include "broker/protocol/native/native_protocol.h"
#include "broker/shard/ledger_scope.h"
#include "libs/base/assert.h"
#include "libs/wire/topic_name.h"

namespace sluice::shard {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;

constexpr std::string_view kInboxPrefix = "$inbox.";

// Batches under one part in so many of a slab are copied when they have to wait in a queue.
constexpr std::size_t kSlabShare = 8;

// What a delivery's body has before the batch. A publish by topic id needs less, so a batch could
// come in that no subscriber may be sent.
constexpr std::uint32_t kDeliverBytes = wire::kDeliverHeaderBytes - wire::kFrameHeaderBytes;

template <typename Visit>
void each_shard(std::uint64_t shards, Visit visit) {
  while (shards != 0) {
    visit(model::ShardId(static_cast<std::uint16_t>(std::countr_zero(shards))));
    shards &= shards - 1;
  }
}

// By whichever bound is nearer; below half of it there is none.
std::uint8_t pressure_of(const queue::BoundedQueue& queue, const queue::Ledger& ledger) {
  if (ledger.waiting > 0) return 255;
  const queue::Bounds& bounds = queue.bounds();
  const auto full = std::max(ledger.queued * 255 / bounds.max_messages,
                             queue.held_bytes() * 255 / bounds.max_bytes);
  return full < 127 ? 0 : static_cast<std::uint8_t>(std::min<std::uint64_t>(255, full));
}

// To be tried again is of no use then, however empty the queue is.
bool never_fits(const model::Slice& slice, const Subscription& subscription) {
  const queue::Bounds& bounds = subscription.queue.bounds();
  return slice.count > bounds.max_messages ||
         slice.records + queue::kSliceOverhead > bounds.max_bytes;
}

}  // namespace

// --- Arrival -------------------------------------------------------------------------------

Status Publishing::publish(Connection& connection, const model::PublishCommand& command) {
  if (command.number <= connection.last_publish) {
    return fail(ErrorCode::kNotInSequence, "publish number " + std::to_string(command.number) +
                                               " after " + std::to_string(connection.last_publish));
  }
  connection.last_publish = command.number;
  ++connection.unresolved;
  const Result<wire::BatchHeader> header =
      wire::check_batch(command.batch.view(), core_.options.max_frame);
  if (!header) return fail(header.error());
  core_.metrics.published_batches.add();
  core_.metrics.published_messages.add(header->count);
  core_.metrics.published_bytes.add(header->length);

  Outcome outcome;
  outcome.number = command.number;
  outcome.batch_bytes = header->length;
  outcome.messages = header->count;
  outcome.receipt_mode = command.receipt_mode;
  outcome.received_at = core_.now;

  Window* window = nullptr;
  Result<model::TopicRef> topic = topic_of(connection, command, window);
  if (window != nullptr && header->length > window->left) {
    topic = fail(ErrorCode::kGrantExceeded,
                 std::to_string(header->length) + " bytes published where " +
                     std::to_string(window->left) + " were left of the grant");
    window = nullptr;
  }
  if (std::uint64_t{header->length} + kDeliverBytes > core_.options.max_frame) {
    topic = fail(ErrorCode::kMessageTooLarge,
                 "a batch may have " + std::to_string(core_.options.max_frame - kDeliverBytes) +
                     " bytes, so that its delivery fits a frame");
  }
  if (window != nullptr) {
    window->left -= header->length;
    window->used_at = core_.now;
    outcome.topic = command.topic;
    if (window->limited_by == model::LimitedBy::kIdle) {
      core_.states.update(connection, *window, outcome.topic);
    }
  } else {
    outcome.batch_bytes = 0;  // charged to no window, so nothing is to be given back
  }
  if (!topic) {
    // The publisher broke a rule of the protocol or named no valid topic: told in an ERROR as well,
    // since it may have asked for no receipts.
    core_.metrics.protocol_errors[topic.error().code].add();
    protocol::native::encode_error(connection.control, topic.error(), command.number,
                                   command.topic);
    reject(connection, outcome, topic.error().code);
    return {};
  }
  if (Status admitted = admit(command, *topic); !admitted) {
    outcome.text = std::move(admitted.error().detail);
    reject(connection, outcome, admitted.error().code);
    return {};
  }
  Publish publish = make_publish(connection, command, *header, std::move(*topic));
  if (core_.limiting != nullptr && !pass_limits(connection, publish, outcome)) return {};
  route(connection, *window, std::move(publish));
  return {};
}

Result<model::TopicRef> Publishing::topic_of(Connection& connection,
                                             const model::PublishCommand& command,
                                             Window*& window) {
  if (!command.name.empty()) {
    window = &connection.named;
    if (command.name.front() == '$' && !command.name.starts_with(kInboxPrefix)) {
      return fail(ErrorCode::kReservedTopic, std::string(command.name));
    }
    return core_.topics.intern(command.name);
  }
  OpenTopic* open = connection.last_topic;
  if (open == nullptr || wire_topic(open->topic) != command.topic) {
    const auto it = connection.topics.find(command.topic);
    if (it == connection.topics.end()) {
      return fail(ErrorCode::kUnknownTopicId, "id " + std::to_string(command.topic));
    }
    open = connection.last_topic = &it->second;
  }
  window = &open->window;
  return open->topic;
}

Status Publishing::admit(const model::PublishCommand& command, const model::TopicRef& topic) {
  if (core_.draining) return fail(ErrorCode::kDraining);
  if (command.deadline_ns != 0 && command.deadline_ns <= base::to_wire(core_.wall_now)) {
    return fail(ErrorCode::kDeadlineExceeded);
  }
  // An empty name would be that of every subscription without one.
  const auto& names = command.need.names;
  if (std::any_of(names.begin(), names.end(), [](auto name) { return name.empty(); })) {
    return fail(ErrorCode::kBadArgument);
  }
  if (std::string full = core_.memory.refusal(topic.slot()); !full.empty()) {
    return fail(ErrorCode::kMemoryBudget, std::move(full));
  }
  if (command.need.durability > wire::Durability::kMemory) {
    return fail(ErrorCode::kDurabilityUnavailable);
  }
  Status room;
  if (core_.shard_count() > 1) {
    each_shard(core_.topics.match(topic).remote, [&](model::ShardId shard) {
      if (core_.mail.congested(shard, core_.options.mailbox_entries)) {
        core_.metrics.mailbox_refusals.add();
        room = fail(ErrorCode::kShardBusy);
      }
    });
  }
  return room;
}

Publish Publishing::make_publish(const Connection& connection, const model::PublishCommand& command,
                                 const wire::BatchHeader& header, model::TopicRef topic) const {
  Publish publish;
  publish.number = command.number;
  publish.receipt_mode = command.receipt_mode;
  publish.need_responders = command.need_responders;
  publish.need_all = command.need.accept_all;
  publish.need_names.assign(command.need.names.begin(), command.need.names.end());
  publish.received_at = core_.now;
  if (command.deadline_ns != 0) publish.deadline = core_.to_monotonic(command.deadline_ns);
  // The bytes are still this shard's alone; from the first push on they are shared and immutable.
  base::Slab& slab = *command.batch.slab().get();
  wire::fill_broker_fields(slab.data() + (command.batch.data() - slab.data()), 0,
                           base::to_wire(core_.wall_now));
  publish.slice = model::Slice::whole(command.batch, std::move(topic), header);
  publish.slice.origin = {connection.id, command.number, core_.id};
  if (header.earliest_deadline_ns != 0) {
    publish.slice.earliest_deadline = core_.to_monotonic(header.earliest_deadline_ns);
  }
  return publish;
}

// --- Routing -------------------------------------------------------------------------------

void Publishing::route(Connection& connection, Window& window, Publish&& publish) {
  if (window.settling || window.delayed_by != 0 || publish.due > core_.now) {
    park(connection, window, std::move(publish));
    return;
  }
  Outcome outcome = outcome_of(publish, window_id(connection, window, publish));
  const topic::Match& match = core_.topics.match(publish.slice.topic);
  if (publish.deadline <= core_.now) {
    reject(connection, outcome, ErrorCode::kDeadlineExceeded);  // it passed while it was parked
  } else if (publish.need_responders && match.local.empty() && match.remote == 0) {
    reject(connection, outcome, ErrorCode::kNoResponders);
  } else if (needs_agreement(publish, match)) {
    agree(connection, window, std::move(publish));
  } else {
    push_to_all(connection, publish, std::move(outcome));
  }
}

void Publishing::push_to_all(Connection& connection, Publish& publish, Outcome&& outcome) {
  const std::uint64_t remote = core_.topics.match(publish.slice.topic).remote;
  if (remote == 0 && !subscriptions_.has_blocking()) {
    // The usual case: every queue answers at once.
    push_local(publish.slice, {publish.deadline, account_of(publish)}, {}, outcome.copies, nullptr);
    resolve(connection, outcome);
    return;
  }
  Pending& pending = claim();
  pending.connection = connection.id;
  pending.outcome = std::move(outcome);
  pending.shards_open = static_cast<std::uint32_t>(std::popcount(remote));
  post_publish(remote, publish, token_of(pending), PublishLetter::Phase::kDirect);
  push_pending(pending, publish.slice, {publish.deadline, account_of(publish)}, {});
}

// This shard counts as open until all of its queues were asked: ending one of them may settle what
// waits in another, and must not take for the whole what is only the part so far.
base::SlabAccount* Publishing::account_of(const Publish& publish) {
  return core_.memory.account_of(publish.slice.topic.slot(), core_.pool.account());
}

void Publishing::push_pending(Pending& pending, const model::Slice& slice, const PushTerms& terms,
                              const std::vector<Reservation>& reserved) {
  ++pending.shards_open;
  push_local(slice, terms, reserved, pending.outcome.copies, &pending);
  --pending.shards_open;
  if (pending.copies_open != 0) {
    if (pending.remote) {
      tell_waiting(pending);
    } else {
      set_blocked(pending, true);
    }
  }
  finish_if_done(pending);
}

void Publishing::push_local(const model::Slice& slice, const PushTerms& terms,
                            const std::vector<Reservation>& reserved, Copies& copies,
                            Pending* pending) {
  const model::PublishToken token = pending != nullptr ? token_of(*pending) : model::PublishToken();
  doomed_.clear();
  // A small batch that stays in a queue would keep a whole receive slab alive: whoever is behind
  // gets a copy that keeps nothing but itself, one for all of them.
  // Where topics have bounds, whatever waits is copied, into a block that counts with its topic.
  const bool small = terms.account != core_.pool.account() ||
                     slice.batch.size() * kSlabShare < slice.batch.slab()->capacity();
  model::Slice compact;
  for (const model::SubscriptionSlot slot : core_.topics.match(slice.topic).local) {
    Subscription& subscription = subscriptions_.at(slot);
    const bool copy = small && subscription.is_behind();
    if (copy && compact.count == 0) {
      compact = slice;
      compact.batch = base::SharedBytes::copy_of(slice.batch.view(), terms.account);
    }
    const model::Slice& pushed = copy ? compact : slice;
    queue::PushResult result;
    std::optional<LedgerScope> scope(std::in_place, core_, subscription);
    if (holds(reserved, subscription)) {
      result = subscription.queue.push_reserved(pushed, core_.now, terms.deadline);
    } else if (subscription.waits_past(terms.deadline, core_.now)) {
      result = subscription.queue.turn_away(pushed, wire::GapReason::kExpired, core_.now);
    } else if (core_.memory.is_full() && (subscription.may_lose() || core_.memory.is_exceeded())) {
      // The publish was admitted, on another shard or before this turn's queues had grown so much.
      result = subscription.queue.turn_away(pushed, wire::GapReason::kSqueezed, core_.now);
    } else {
      result = subscription.queue.push(pushed, token, core_.now, terms.deadline);
    }
    scope.reset();  // settle() below counts for itself
    copies.matched += slice.count;
    copies.accepted += result.accepted;
    if (result.waiting != 0) {
      ASSERT(pending != nullptr);
      pending->copies_open += result.waiting;
      pending->blockers.push_back({slot, subscription.serial, result.waiting});
    }
    const std::uint32_t dropped = slice.count - result.accepted - result.waiting;
    if (dropped != 0) {
      const auto reason = result.disconnect ? wire::GapReason::kDisconnected : result.drop_reason;
      copies.drop(subscription.shown_name(), dropped, reason);
    }
    copies.pressure =
        std::max(copies.pressure, pressure_of(subscription.queue, subscription.queue.ledger()));
    if (result.disconnect) {
      doomed_.push_back(slot);
      continue;
    }
    subscriptions_.wake(subscription);
    if (!subscription.queue.is_timed()) continue;
    subscriptions_.settle(subscription);  // time has passed there, or reserved room come free
    subscriptions_.schedule(subscription);
  }
  if (const flow::MemoryBudget* budget = core_.memory.budget(); budget && terms.account) {
    copies.pressure = std::max(copies.pressure, budget->pressure_of(*terms.account));
  }
  // Ending a subscription changes the index, so it waits until the walk over the match is done.
  // Each may end others (a connection's), hence the look before the leap.
  const std::vector<model::SubscriptionSlot> doomed = std::exchange(doomed_, {});
  for (const model::SubscriptionSlot slot : doomed) subscriptions_.disconnect(slot);
}

void Publishing::post_publish(std::uint64_t shards, const Publish& publish,
                              model::PublishToken token, PublishLetter::Phase phase) {
  each_shard(shards, [&](model::ShardId shard) {
    PublishLetter letter;
    letter.token = token;
    letter.phase = phase;
    letter.need_all = publish.need_all;
    letter.need_names = publish.need_names;
    letter.topic = core_.topics.name(publish.slice.topic);
    letter.topic_slot = publish.slice.topic.slot();
    letter.topic_generation = publish.slice.topic.generation();
    letter.batch = publish.slice.batch;
    letter.origin = publish.slice.origin;
    letter.account = account_of(publish);
    letter.deadline = publish.deadline;
    letter.earliest_deadline = publish.slice.earliest_deadline;
    core_.mail.post(shard, std::move(letter));
    core_.metrics.mailbox_posted.add();
  });
}

// --- All or none ---------------------------------------------------------------------------

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
    const bool late = subscription.waits_past(publish.deadline, core_.now);
    if (!late && subscription.queue.has_room(slice.count, slice.records, core_.now)) continue;
    room = false;
    if (const auto wait = subscription.drain_rate.wait(slice.count)) {
      refusing.retry_after = std::max(refusing.retry_after, *wait);
    }
    const auto reason = late                              ? ErrorCode::kDeadlineExceeded
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
  const std::uint64_t asked = publish.needs_all_or_none() ? match.remote : match.remote_strict;
  if (asked == 0 && !missing.empty()) {
    for (const std::string& name : missing) {
      outcome.copies.refuse(name, 0, static_cast<std::uint16_t>(ErrorCode::kNeedNotMet));
    }
    reject(connection, outcome, ErrorCode::kNeedNotMet);
    return;
  }
  if (asked == 0) {
    push_to_all(connection, publish, std::move(outcome));
    return;
  }
  Pending& pending = claim();
  pending.connection = connection.id;
  pending.outcome = std::move(outcome);
  pending.names_missing = std::move(missing);
  pending.reserved = reserve(match, publish);
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
  const std::vector<Reservation> reserved = std::move(pending.reserved);
  const std::uint64_t reserved_shards = std::exchange(pending.reserved_shards, 0);
  const model::PublishToken token = token_of(pending);
  const model::ConnectionId connection_id = pending.connection;
  const std::uint32_t topic = pending.outcome.topic;
  if (taken) {
    const std::uint64_t direct = core_.topics.match(publish->slice.topic).remote & ~reserved_shards;
    pending.shards_open = static_cast<std::uint32_t>(std::popcount(reserved_shards | direct));
    pending.outcome.copies = {};
    post_publish(reserved_shards, *publish, token, PublishLetter::Phase::kCommit);
    post_publish(direct, *publish, token, PublishLetter::Phase::kDirect);
    push_pending(pending, publish->slice, {publish->deadline, account_of(*publish)}, reserved);
  } else {
    unreserve(reserved, publish->slice.count, publish->slice.records);
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
  Window* window = connection != nullptr ? window_of(*connection, topic) : nullptr;
  if (window == nullptr) return;
  window->settling = false;
  unpark(*connection, *window);
}

std::vector<Publishing::Reservation> Publishing::reserve(const topic::Match& match,
                                                         const Publish& publish) {
  std::vector<Reservation> reserved;
  for (const model::SubscriptionSlot slot : match.local) {
    Subscription& subscription = subscriptions_.at(slot);
    if (!must_take(publish, subscription)) continue;
    LedgerScope scope(core_, subscription);
    subscription.queue.reserve(publish.slice.count, publish.slice.records);
    reserved.push_back({slot, subscription.serial});
  }
  return reserved;
}

bool Publishing::holds(const std::vector<Reservation>& reserved, const Subscription& subscription) {
  return std::any_of(reserved.begin(), reserved.end(), [&](const Reservation& held) {
    return held.slot == subscription.slot && held.serial == subscription.serial;
  });
}

void Publishing::unreserve(const std::vector<Reservation>& reserved, std::uint32_t messages,
                           std::uint32_t records) {
  for (const Reservation& reservation : reserved) {
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
    route(connection, window, std::move(next));
  }
}

}  // namespace sluice::shard
