// subscriptions.h: how does a subscription begin, get its turn, and end?
//
// Owner:    Shard.
// Thread:   the owner shard only.
// Errors:   begin(): kBadArgument, kBadFilter, kBadLadder, kDuplicateSubscription,
//           kSubscriptionLimit, kReservedTopic, kGroupMismatch, kUnsupportedFeature.
// Order:    other shards know of a subscription's interest before SUBSCRIBED is sent, so that
//           whatever is published afterwards, anywhere on the node, reaches it.
// Tests:    tests/unit/broker/shard/ladder_test.cc, shared_subscription_test.cc

#pragma once

#include <memory>
#include <queue>
#include <vector>

#include "broker/shard/core.h"
#include "broker/shard/subscription.h"

namespace sluice::shard {

class Publishing;
class Groups;

/// A checked SUBSCRIBE.
struct SubscribeSpec {
  queue::Bounds bounds;
  queue::Ladder ladder;
  std::vector<std::string> filters;
  wire::Resume resume{};  // of a plain one
};

class Subscriptions {
 public:
  explicit Subscriptions(Core& core) : core_(core) {}
  void wire(Publishing& publishing, Groups& groups) {
    publishing_ = &publishing;
    groups_ = &groups;
  }

  base::Status begin(Connection& connection, std::uint64_t correlation,
                     const wire::Subscribe& subscribe);
  base::Status end(Connection& connection, std::uint64_t correlation, std::uint32_t id);
  base::Status add_credit(Connection& connection, const model::CreditCommand& credit);
  /// SUBSCRIBE was answered just now: ends it if its client has said so already. True if it had.
  bool end_early(Connection& connection, std::uint32_t id);
  void end_all(Connection& connection);
  /// The ladder came to `disconnect`: tells the consumers and ends the subscription.
  void disconnect(model::SubscriptionSlot slot);

  Subscription& at(model::SubscriptionSlot slot) { return *table_[slot.value()]; }
  const Subscription& at(model::SubscriptionSlot slot) const { return *table_[slot.value()]; }
  Subscription* find(model::SubscriptionSlot slot) {
    return slot.value() < table_.size() ? table_[slot.value()].get() : nullptr;
  }
  /// A new entry whose filters are in the index; interest is told to the other shards.
  Subscription& create(const SubscribeSpec& spec);
  /// Takes it out of index and table; its queue's remains are discarded. Returns the ledger.
  queue::Ledger destroy(model::SubscriptionSlot slot, model::EndReason why);

  /// After a push or a grant: sees to it that the queue gets its turn to send.
  void wake(Subscription& subscription);
  /// After a change that may have moved when its queue wants on_time().
  void schedule(Subscription& subscription);
  /// Passes on what waiting publishes have come to.
  void settle(Subscription& subscription);

  void on_interest(model::ShardId from, InterestLetter&& letter);
  void on_interest_done(const InterestDoneLetter& letter);

  void on_time();
  /// What was asked for in the spill store has come.
  void on_spill();
  base::MonotonicTime next_time() const;
  /// A few entries at a time: gives memory back, reports who began or ended losing messages.
  void housekeep(std::size_t entries);

  std::size_t size() const { return size_; }
  /// Serials rise: that of the subscription that began last.
  std::uint64_t last_serial() const { return last_serial_; }
  /// Slots are below that.
  std::size_t places() const { return table_.size(); }
  bool has_blocking() const { return blocking_ > 0; }
  bool has_strict() const { return strict_ > 0; }
  /// Messages queued, waiting or in flight of this shard's queues.
  std::uint64_t held() const;
  void check_invariants() const;
  template <typename Visit>
  void each_mutable(Visit visit) {
    for (const auto& entry : table_) {
      if (entry) visit(*entry);
    }
  }
  template <typename Visit>
  void each(Visit visit) const {
    for (const auto& entry : table_) {
      if (entry) visit(*entry);
    }
  }

 private:
  Subscription* find_by_token(std::uint64_t token);
  void pass_time(Subscription& subscription);
  base::Result<SubscribeSpec> check(const Connection& connection,
                                    const wire::Subscribe& subscribe) const;
  void activate(Subscription& subscription);
  wire::Resumed end_of(const wire::Resume& resume) const;
  void report_dropping(Subscription& subscription);
  void keep_account(const Subscription& subscription, model::EndReason why);
  void remember(Subscription& subscription, bool begins);
  void bound_timers();
  /// Timers that may stand in the heap for a table of so many places.
  static constexpr std::size_t timers_max(std::size_t places) { return 2 * places + 64; }

  struct Timer {
    base::MonotonicTime at;
    model::SubscriptionSlot slot;
    std::uint64_t serial;
    bool operator>(const Timer& other) const { return at > other.at; }
  };

  Core& core_;
  Publishing* publishing_ = nullptr;
  Groups* groups_ = nullptr;
  std::vector<std::unique_ptr<Subscription>> table_;
  std::vector<model::SubscriptionSlot> free_;
  std::size_t size_ = 0;
  std::size_t blocking_ = 0;
  std::size_t strict_ = 0;
  std::size_t sweep_ = 0;
  std::uint64_t last_serial_ = 0;

  // What a subscription left behind, or has moved forward since, stays until it is due or in the
  // way.
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
};

}  // namespace sluice::shard
