// withdrawals.h: what becomes of a CANCEL?
//
// A publish that is parked, or on which shards are still to agree, is withdrawn as a whole. Else
// its copies are looked for in the queues of its topic, on every shard that has one: each takes out
// what it has not handed to a connection yet, and the answer, CANCEL with the sum, leaves when all
// have said how much that was. Where copies still waited behind a `block` step the publish has its
// receipt with it.
//
// Looking through long queues takes time, so a turn looks at kSlicesPerTurn slices, to the end of
// the queue under way, and goes on in the next.
//
// Owner:    Shard.
// Thread:   the owner shard only.
// Limits:   kOpenMax cancels of one connection without an answer; one more is refused.
// Errors:   begin(): kUnknownTopicId, kBadTopic, kBadArgument, kUnavailable; all stay.
// Order:    a withdrawal comes to a shard behind the publish that it is about.
// Source:   docs/formats/wire.md, section CANCEL.
// Tests:    tests/unit/broker/shard/withdrawal_test.cc

#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "broker/shard/core.h"
#include "broker/shard/publishing.h"
#include "broker/shard/subscriptions.h"

namespace sluice::shard {

class Withdrawals {
 public:
  static constexpr std::uint32_t kOpenMax = 64;
  static constexpr std::uint64_t kSlicesPerTurn = 16'384;

  Withdrawals(Core& core, Subscriptions& subscriptions, Publishing& publishing)
      : core_(core), subscriptions_(subscriptions), publishing_(publishing) {}

  /// Requires: the target is a publish.
  base::Status begin(Connection& connection, const model::CancelCommand& command);
  void on_withdraw(model::ShardId from, WithdrawLetter&& letter);
  void on_withdrawn(const WithdrawnLetter& letter);

  /// Looks on, as long as a turn may. True when there is more to look at.
  bool work();

  std::size_t open() const { return open_.size() + searches_.size(); }

 private:
  // Of a connection of this shard, until it is answered.
  struct Open {
    std::uint64_t token = 0;
    model::ConnectionId connection;
    std::uint64_t correlation = 0;
    std::uint64_t target = 0;
    std::uint32_t shards_open = 0;
    std::uint64_t withdrawn = 0;
  };
  struct Place {
    model::SubscriptionSlot slot;
    std::uint64_t serial = 0;
  };
  // Of the queues of this shard, for itself or another.
  struct Search {
    model::ShardId from;
    std::uint64_t token = 0;  // of `from`
    model::Origin origin;
    std::vector<Place> places;  // still to be looked at, the last one first
    std::uint64_t withdrawn = 0;
  };

  void search(model::ShardId from, std::uint64_t token, const model::Origin& origin,
              const model::TopicRef& topic);
  /// Returns how many slices it looked at.
  std::uint64_t look(Search& search);
  void finish(const Search& search);
  void answer(const Open& open);

  Core& core_;
  Subscriptions& subscriptions_;
  Publishing& publishing_;
  std::vector<Open> open_;
  std::deque<Search> searches_;
  std::uint64_t last_token_ = 0;
};

}  // namespace sluice::shard
