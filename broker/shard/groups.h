// groups.h: how do several consumers share one subscription?
//
// A shared subscription has one queue, on its home shard (chosen by its name), and members on any
// shard. Each message goes to one of them: at the end of a turn the home deals what is queued to
// the members that have credit, in even shares, one after another. What was dealt is in flight
// until the member's socket has taken it, which its shard tells the home together with the credit
// that came in. What could not be handed over because the member left meanwhile comes back to its
// place in the queue; what a lost connection had not taken whole is discarded, as it may have
// arrived.
//
// Owner:    Shard.
// Thread:   the owner shard only; homes and members talk by letters.
// Limits:   per turn and member one letter with news, whatever its client sends.
// Errors:   kGroupMismatch when a member names other filters or bounds than the first one.
// Tests:    tests/unit/broker/shard/shared_subscription_test.cc

#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "broker/shard/core.h"
#include "broker/shard/subscriptions.h"

namespace sluice::shard {

class Groups {
 public:
  Groups(Core& core, Subscriptions& subscriptions) : core_(core), subscriptions_(subscriptions) {}

  /// Where a group of that name has its queue.
  model::ShardId home_of(std::string_view group) const;

  // On the member's side.
  std::uint64_t next_join() { return ++last_join_; }
  void join(Connection& connection, const Consumer& consumer, const wire::Subscribe& subscribe,
            const SubscribeSpec& spec);
  void add_credit(Connection& connection, Consumer& consumer, model::SubscriptionId id,
                  const queue::Credit& more);
  /// The socket has taken that much of what was dealt to one of its consumers.
  void taken(Connection& connection, const InFlight& sent);
  /// A limit of the connection holds this back, which was dealt to one of its consumers.
  void held_back(Connection& connection, const Dealt& dealt);
  /// Tells homes what members here have granted and taken since the last call.
  void tell_news();
  /// Gives back what was dealt to it and not sent; what is in flight leaves.
  void leave(Connection& connection, model::SubscriptionId id, const Consumer& consumer);
  /// The connection ends with these consumers: what is in flight is lost.
  void leave_all(Connection& connection,
                 const std::unordered_map<std::uint32_t, Consumer>& consumers);
  void on_joined(model::ShardId from, GroupJoinedLetter&& letter);
  void on_item(model::ShardId from, GroupItemLetter&& letter);
  void on_expelled(const GroupExpelledLetter& letter);

  // On the home's side.
  void on_join(model::ShardId from, GroupJoinLetter&& letter);
  void on_news(const GroupNewsLetter& letter);
  void on_leave(const GroupLeaveLetter& letter);
  void on_return(GroupReturnLetter&& letter);
  /// The group has something to deal, or somebody to deal to.
  void wake(Subscription& group);
  /// Deals, for every group woken since the last call.
  void deal();
  /// The ladder came to `disconnect`: every member is told.
  void disconnect(Subscription& group);
  /// The group's interest is known on every shard: its first members are answered.
  void activate(Subscription& group);

 private:
  /// The group on this shard, if it has not ended.
  Subscription* find(const GroupRef& ref);
  /// The consumer that `member` names, if it is still that one.
  static Consumer* find(Connection* connection, const MemberKey& member);
  template <typename Anything>
  void post(model::ShardId to, Anything&& letter);
  void note_news(Connection& connection, model::SubscriptionId id, Consumer& consumer);
  std::uint32_t pacer_of(const Connection& connection, std::uint64_t join) const;
  GroupNewsLetter take_news(const Connection& connection, model::SubscriptionId id,
                            Consumer& consumer) const;
  void post_leave(const Connection& connection, model::SubscriptionId id, const Consumer& consumer,
                  const DealtSum& taken, const DealtSum& lost);
  /// Something dealt has come to where its consumer is.
  void take_in(Connection& connection, Consumer& consumer, Dealt&& dealt);
  void answer(model::ShardId to, GroupJoinedLetter&& letter);
  void release(Subscription& group, model::EndReason why);
  void give_back(Dealt&& dealt);
  void deliver(Subscription& group, Member& member, queue::Item&& item);
  void deal(Subscription& group);

  Core& core_;
  Subscriptions& subscriptions_;
  std::unordered_map<std::string, model::SubscriptionSlot> by_name_;
  std::vector<GroupRef> woken_;
  std::vector<std::pair<model::ConnectionId, model::SubscriptionId>> news_;  // of this turn
  std::uint64_t last_join_ = 0;
};

}  // namespace sluice::shard
