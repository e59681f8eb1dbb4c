#include "broker/shard/publishing.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "broker/protocol/native/native_protocol.h"
#include "broker/shard/ledger_scope.h"
#include "libs/base/assert.h"

namespace sluice::shard {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;
using base::Status;

// Batches under one part in so many of a slab are copied when they have to wait in a queue.
constexpr std::size_t kSlabShare = 8;

// By whichever bound is nearer; below half of it there is none.
std::uint8_t pressure_of(const queue::BoundedQueue& queue, const queue::Ledger& ledger) {
  if (ledger.waiting > 0) return 255;
  if (ledger.spilled > 0) {  // the queue is full, and its spill on the way
    const std::uint64_t most = queue.ladder().spill_bytes;
    const std::uint64_t held = std::min(queue.spilled_bytes(), most);
    return static_cast<std::uint8_t>(127 + held * 128 / most);
  }
  const queue::Bounds& bounds = queue.bounds();
  const auto full = std::max(ledger.queued * 255 / bounds.max_messages,
                             queue.held_bytes() * 255 / bounds.max_bytes);
  return full < 127 ? 0 : static_cast<std::uint8_t>(std::min<std::uint64_t>(255, full));
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
  Admission::Entry entry;
  const Admission::Answer answer = admission_.ask(connection, command, *header, entry);
  if (answer == Admission::Answer::kComesIn) {
    Window& window = *entry.window;
    route(connection, window, make_publish(connection, command, *header, std::move(entry)));
  } else {
    turn_back(connection, command, *header, answer, std::move(entry));
  }
  return {};
}

void Publishing::turn_back(Connection& connection, const model::PublishCommand& command,
                           const wire::BatchHeader& header, Admission::Answer answer,
                           Admission::Entry&& entry) {
  Outcome outcome;
  outcome.number = command.number;
  outcome.messages = header.count;
  outcome.receipt_mode = command.receipt_mode;
  outcome.received_at = core_.now;
  if (entry.window != nullptr) {
    outcome.topic = command.topic;
    outcome.batch_bytes = header.length;
  }
  if (answer == Admission::Answer::kSentBefore) {
    give_back(connection, outcome.topic, outcome.batch_bytes);
    add_receipt(connection, outcome, wire::ReceiptStatus::kDuplicate, ErrorCode::kNone);
    return;
  }
  if (answer == Admission::Answer::kBreaksRule) {
    core_.metrics.protocol_errors[entry.why.code].add();
    protocol::native::encode_error(connection.control, entry.why, command.number, command.topic);
    core_.touch(connection);
  } else {
    outcome.text = std::move(entry.why.detail);
    outcome.copies.retry_after = entry.retry_after;
  }
  reject(connection, outcome, entry.why.code);
}

Publish Publishing::make_publish(const Connection& connection, const model::PublishCommand& command,
                                 const wire::BatchHeader& header, Admission::Entry&& entry) const {
  Publish publish;
  publish.number = command.number;
  publish.receipt_mode = command.receipt_mode;
  publish.need_responders = command.need_responders;
  publish.need_all = command.need.accept_all;
  publish.need_names.assign(command.need.names.begin(), command.need.names.end());
  publish.received_at = core_.now;
  publish.deadline = entry.deadline;
  publish.due = entry.due;
  publish.delayed_by = entry.delayed_by;
  publish.charged = std::move(entry.charged);
  // The bytes are still this shard's alone; from the first push on they are shared and immutable.
  base::Slab& slab = *command.batch.slab().get();
  wire::fill_broker_fields(slab.data() + (command.batch.data() - slab.data()), 0,
                           base::to_wire(core_.wall_now));
  publish.slice = model::Slice::whole(command.batch, std::move(entry.topic), header);
  publish.slice.origin = {connection.id, command.number, core_.id};
  if (header.earliest_deadline_ns != 0) {
    publish.slice.earliest_deadline = core_.to_monotonic(header.earliest_deadline_ns);
  }
  if (header.producer_id != 0) {
    connection.producer->take(header.producer_sequence, header.count);
    publish.producer_sequence = header.producer_sequence;
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
    push_to_all(connection, publish, std::move(outcome), {});
  }
}

void Publishing::push_to_all(Connection& connection, Publish& publish, Outcome&& outcome,
                             const Audience& audience) {
  const std::uint64_t remote = core_.topics.match(publish.slice.topic).remote;
  if (remote == 0 && !subscriptions_.has_blocking()) {
    // The usual case: every queue answers at once.
    push_local(publish.slice, {publish.deadline, account_of(publish)}, audience, outcome.copies,
               nullptr);
    resolve(connection, outcome);
    return;
  }
  Pending& pending = claim();
  pending.connection = connection.id;
  pending.outcome = std::move(outcome);
  pending.shards_open = static_cast<std::uint32_t>(std::popcount(remote));
  post_publish(remote, publish, token_of(pending), PublishLetter::Phase::kDirect);
  push_pending(pending, publish.slice, {publish.deadline, account_of(publish)}, audience);
}

base::SlabAccount* Publishing::account_of(const Publish& publish) {
  return core_.memory.account_of(publish.slice.topic.slot(), core_.pool.account());
}

// This shard counts as open until all of its queues were asked: ending one of them may settle what
// waits in another, and must not take for the whole what is only the part so far.
void Publishing::push_pending(Pending& pending, const model::Slice& slice, const PushTerms& terms,
                              const Audience& audience) {
  ++pending.shards_open;
  push_local(slice, terms, audience, pending.outcome.copies, &pending);
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

std::optional<wire::GapReason> Publishing::turned_away(const Subscription& subscription,
                                                       base::MonotonicTime deadline) const {
  if (subscription.waits_past(deadline, core_.now)) return wire::GapReason::kExpired;
  // The publish was admitted, on another shard or before this turn's queues had grown so much.
  const bool full = core_.memory.is_full();
  if (full && (subscription.may_lose() || core_.memory.is_exceeded())) {
    return wire::GapReason::kSqueezed;
  }
  return std::nullopt;
}

void Publishing::push_local(const model::Slice& slice, const PushTerms& terms,
                            const Audience& audience, Copies& copies, Pending* pending) {
  const model::PublishToken token = pending != nullptr ? token_of(*pending) : model::PublishToken();
  doomed_.clear();
  // A small batch that stays in a queue would keep a whole receive slab alive: whoever is behind
  // gets a copy that keeps nothing but itself, one for all of them.
  // Where topics have bounds, whatever waits is copied, into a block that counts with its topic.
  const bool small = terms.account != core_.pool.account() ||
                     slice.batch.size() * kSlabShare < slice.batch.slab()->capacity();
  model::Slice compact;
  core_.copies_pushed += core_.topics.match(slice.topic).local.size();
  for (const model::SubscriptionSlot slot : core_.topics.match(slice.topic).local) {
    Subscription& subscription = subscriptions_.at(slot);
    if (subscription.serial > audience.newest) continue;
    const bool copy = small && subscription.is_behind();
    if (copy && compact.count == 0) {
      compact = slice;
      compact.batch = base::SharedBytes::copy_of(slice.batch.view(), terms.account);
    }
    const model::Slice& pushed = copy ? compact : slice;
    queue::PushResult result;
    std::optional<LedgerScope> scope(std::in_place, core_, subscription);
    if (audience.has_reserved(subscription)) {
      result = subscription.queue.push_reserved(pushed, core_.now, terms.deadline);
    } else if (const auto reason = turned_away(subscription, terms.deadline)) {
      result = subscription.queue.turn_away(pushed, *reason, core_.now);
    } else {
      result = subscription.queue.push(pushed, token, core_.now, terms.deadline);
    }
    scope.reset();  // settle() below counts for itself
    copies.matched += slice.count;
    copies.accepted += result.accepted;
    copies.spilled += result.spilled;
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

}  // namespace sluice::shard
