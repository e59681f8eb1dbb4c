// publishing.h: what becomes of a publish, and what is its publisher told?
//
// A publish is checked, admitted, matched and pushed to every queue that wants it. Where all answer
// at once it has its receipt in the same turn. Where a queue makes it wait or other shards have
// queues too, it stays pending under a token until the last of them has answered. A publish that
// must be taken by all or none is first agreed on (room is reserved everywhere), then pushed; what
// the same window brings meanwhile is parked behind it, so that order is kept.
//
// Owner:    Shard.
// Thread:   the owner shard only.
// Limits:   what is pending or parked is bounded by the windows of the publishers.
// Errors:   publish() returns what closes the connection; refusals go into receipts.
// Order:    receipts of one connection may leave out of order of publishing, one each.
// Source:   docs/formats/wire.md, sections PUBLISH, RECEIPT, GRANT.
// Tests:    tests/unit/broker/shard/publish_test.cc, agreement_test.cc

#pragma once

#include <deque>
#include <list>
#include <optional>
#include <set>
#include <vector>

#include "broker/shard/admission.h"
#include "broker/shard/core.h"
#include "broker/shard/subscriptions.h"

namespace sluice::shard {

class Publishing {
 public:
  Publishing(Core& core, Subscriptions& subscriptions)
      : core_(core), subscriptions_(subscriptions), admission_(core) {}

  base::Status publish(Connection& connection, const model::PublishCommand& command);
  base::Status open_topic(Connection& connection, std::uint64_t correlation, std::string_view name);

  /// Part of a publish that waited in one of this shard's queues has its outcome.
  void on_settled(const Subscription& subscription, const queue::Settled& settled);
  void on_publish(model::ShardId from, PublishLetter&& letter);
  void on_result(model::ShardId from, PublishResultLetter&& letter);
  void on_waiting(model::ShardId from, PublishWaitingLetter&& letter);

  /// The subscriptions that publishes of a connection to a topic (0: by name) wait for, each once.
  /// Looks at all that is pending: for operators.
  std::vector<std::string> blockers(const Connection& connection, std::uint32_t topic) const;

  /// Where a publish to be withdrawn went. Errors: kUnknownTopicId, kBadTopic.
  base::Result<model::TopicRef> topic_of(Connection& connection,
                                         const model::CancelCommand& command);
  /// Withdraws a publish that is parked, or that shards have not agreed on yet: how many messages
  /// that was, or 0 if it is neither.
  std::uint64_t withdraw_early(Connection& connection, std::uint32_t topic, std::uint64_t number);

  /// The same for all publishers of this shard, once per publish; looks at `most` places at most.
  void each_blocked(std::size_t most, const std::function<void(model::ConnectionId, std::uint32_t,
                                                               const std::string&)>& visit) const;
  /// The connection ends: what is not on its way yet was not sent, as far as its producer knows.
  void abandon(Connection& connection);

  /// Puts the receipts and grants that are due into connection.control.
  void write_due(Connection& connection);

  /// Publishes without an outcome: under way, held back by a limit, or behind such a one.
  std::size_t pending() const { return pending_count_ + parked_count_; }
  /// What they take, beside their batches.
  std::uint64_t memory_bytes() const noexcept;

  /// What limits held back and is due by now.
  void on_time();
  base::MonotonicTime next_time() const;
  /// The limits have changed: what they hold back is charged anew. Looks at every window.
  void recharge();
  void check_invariants() const;
  /// The connection is about to be destroyed.
  void forget(Connection& connection);

 private:
  /// What a receipt says, and to whom.
  struct Outcome {
    std::uint64_t number = 0;
    std::uint32_t topic = 0;  // id of the window, 0 for the named one
    std::uint32_t batch_bytes = 0;
    std::uint32_t messages = 0;
    model::ReceiptMode receipt_mode = model::ReceiptMode::kAlways;
    base::MonotonicTime received_at;
    std::uint64_t producer_sequence = kNoProducer;
    std::string text;  // what stood in the way, in words and numbers; empty for none
    Copies copies;
  };

  /// A subscription that room was reserved in; told by serial from a later one in its slot.
  struct Reservation {
    model::SubscriptionSlot slot;
    std::uint64_t serial = 0;
  };
  /// Whom a publish is for on this shard: all that match, or, where it was agreed on, those of them
  /// that were there when the shard was asked. Who came later has its sequences begin behind it.
  struct Audience {
    std::vector<Reservation> reserved;  // ascending
    std::uint64_t newest = UINT64_MAX;  // serial of the last subscription that was there

    bool has_reserved(const Subscription& subscription) const;
  };

  /// A subscription of this shard that a publish waits for.
  struct Blocker {
    model::SubscriptionSlot slot;
    std::uint64_t serial = 0;
    std::uint64_t copies = 0;
  };

  /// A publish whose outcome is still open.
  struct Pending {
    std::uint32_t index = 0;
    std::uint32_t generation = 1;
    bool used = false;
    bool remote = false;             // of another shard: answered by a letter
    model::ConnectionId connection;  // of this shard
    model::ShardId from;             // remote: who asked, and its token
    model::PublishToken from_token;
    Outcome outcome;
    std::uint32_t shards_open = 0;  // shards that have not answered
    std::uint64_t copies_open = 0;  // waiting in queues of this shard
    std::vector<Blocker> blockers;  // in which ones
    std::vector<std::pair<model::ShardId, std::string>> remote_blockers;  // on other shards
    bool blocked = false;              // counted in the window's `blocked`
    std::unique_ptr<Publish> publish;  // while shards are still to agree
    Audience audience;
    std::vector<std::string> names_missing;
    std::uint64_t reserved_shards = 0;
    bool refused = false;
    bool cancelled = false;  // by its publisher, while shards were still to agree
  };

  /// A reservation held here for another shard.
  struct HeldReservation {
    model::ShardId from;
    model::PublishToken token;
    Audience audience;
    std::uint32_t messages = 0;
    std::uint32_t records = 0;
  };

  void turn_back(Connection& connection, const model::PublishCommand& command,
                 const wire::BatchHeader& header, Admission::Answer answer,
                 Admission::Entry&& entry);
  Publish make_publish(const Connection& connection, const model::PublishCommand& command,
                       const wire::BatchHeader& header, Admission::Entry&& entry) const;

  void charge_again(Connection& connection, Publish& publish);
  void park(Connection& connection, Window& window, Publish&& publish);
  void count_parked(const Publish& publish, bool comes);
  void hold(Connection& connection, Window& window);
  void unhold(Connection& connection, Window& window, std::uint32_t topic);
  void drop_parked(Connection& connection, Window& window, std::uint32_t topic,
                   std::list<Publish>::iterator parked);

  void route(Connection& connection, Window& window, Publish&& publish);
  void push_to_all(Connection& connection, Publish& publish, Outcome&& outcome,
                   const Audience& audience);
  bool needs_agreement(const Publish& publish, const topic::Match& match) const;
  void agree(Connection& connection, Window& window, Publish&& publish);
  void on_agreed(Pending& pending);

  /// How a publish is pushed, beside what.
  struct PushTerms {
    base::MonotonicTime deadline;
    base::SlabAccount* account;  // where the copy counts that waits
  };

  base::SlabAccount* account_of(const Publish& publish);
  /// Adds to `copies` what is known at once, and to `pending` (null: nothing waits) what is not.
  void push_local(const model::Slice& slice, const PushTerms& terms, const Audience& audience,
                  Copies& copies, Pending* pending);
  void set_blocked(Pending& pending, bool blocked);
  void tell_waiting(const Pending& pending);
  void push_pending(Pending& pending, const model::Slice& slice, const PushTerms& terms,
                    const Audience& audience);
  void post_publish(std::uint64_t shards, const Publish& publish, model::PublishToken token,
                    PublishLetter::Phase phase);
  bool has_room(const topic::Match& match, const Publish& publish, Copies& refusing,
                std::vector<std::string>& names_here) const;
  static bool is_named(const Publish& publish, const Subscription& subscription);
  static bool must_take(const Publish& publish, const Subscription& subscription);
  /// Why a copy would be turned away, whatever room its queue has.
  std::optional<wire::GapReason> turned_away(const Subscription& subscription,
                                             base::MonotonicTime deadline) const;
  Audience reserve(const topic::Match& match, const Publish& publish);
  void unreserve(const Audience& audience, std::uint32_t messages, std::uint32_t records);

  Pending& claim();
  Pending* find(model::PublishToken token);
  static model::PublishToken token_of(const Pending& pending);
  void finish_if_done(Pending& pending);
  void release(Pending& pending);

  static Outcome outcome_of(const Publish& publish, std::uint32_t topic);
  void resolve(Connection& connection, const Outcome& outcome);
  void reject(Connection& connection, const Outcome& outcome, base::ErrorCode reason);
  void tell_untaken(Connection& connection, const Outcome& outcome, base::ErrorCode reason);
  void add_receipt(Connection& connection, const Outcome& outcome, wire::ReceiptStatus status,
                   base::ErrorCode reason);
  void flush_receipts(Connection& connection);
  static std::uint32_t window_id(const Connection& connection, const Window& window,
                                 const Publish& publish);
  void give_back(Connection& connection, std::uint32_t topic, std::uint64_t bytes);
  void unpark(Connection& connection, Window& window);
  void on_reserve(model::ShardId from, PublishLetter&& letter, const model::TopicRef& topic);
  HeldReservation take_held(model::ShardId from, model::PublishToken token);
  model::TopicRef local_topic(model::ShardId from, const PublishLetter& letter);

  /// A topic slot of another shard, and which topic that is here.
  struct Foreign {
    std::uint32_t generation = 0;
    model::TopicSlot slot;
    std::uint32_t local_generation = 0;
    bool known = false;
  };

  /// A window whose first publish waits for a limit.
  struct DelayedWindow {
    base::MonotonicTime due;
    std::uint64_t connection = 0;
    std::uint32_t topic = 0;
    auto operator<=>(const DelayedWindow&) const = default;
  };

  /// Windows in which something is parked, by when its first is due.
  std::set<DelayedWindow> parked_windows() const;

  Core& core_;
  Subscriptions& subscriptions_;
  Admission admission_;
  std::deque<Pending> pending_;  // stable addresses; reused by free_
  std::vector<std::uint32_t> free_;
  std::size_t pending_count_ = 0;
  std::size_t parked_count_ = 0;    // in all windows
  std::uint64_t parked_bytes_ = 0;  // of these, beside their batches
  std::set<DelayedWindow> delayed_;
  std::vector<std::vector<Foreign>> foreign_;  // by shard, by its topic slot
  std::vector<HeldReservation> held_;
  std::vector<model::SubscriptionSlot> doomed_;  // scratch of push_local
};

}  // namespace sluice::shard
