// producers.h: who may publish as this idempotent producer, and what has it sent before?
//
// What is known of a producer lives with the one connection that publishes as it, by a lease from
// the producer's home shard (by its id). A connection that says HELLO with a producer id gets its
// WELCOME when it has the lease; while another connection holds it, that one is closed first, since
// the client has come back before its old connection was seen to be dead.
//
// Each new client of a producer gets a higher epoch. One that comes back with an older epoch is
// refused: what it would send again may have the numbers of what a newer client has sent.
//
// Owner:    Shard.
// Thread:   the owner shard only; homes and holders talk by letters.
// Limits:   Options::max_producers of each home that no connection holds; beyond, the one that was
//           held longest ago is forgotten.
// Errors:   kTakenOver closes the connection that held the lease, or came back too late.
// Source:   docs/decisions/0009-producers-are-leased.md
// Tests:    tests/unit/broker/shard/producer_test.cc

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <unordered_map>

#include "broker/session/producer_state.h"
#include "broker/shard/core.h"

namespace sluice::shard {

class Producers {
 public:
  /// `granted` or `recalled` is called once for each claim whose connection is still there,
  /// `recalled` as well when another takes over: that connection must end, and it calls release()
  /// before it returns.
  Producers(Core& core, std::function<void(Connection&)> granted,
            std::function<void(Connection&)> recalled)
      : core_(core), granted_(std::move(granted)), recalled_(std::move(recalled)) {}

  /// Wants the lease of connection.producer_id, which is not 0.
  void claim(Connection& connection);
  /// The connection ends: gives the lease back, if it has one.
  void release(Connection& connection);

  void on_claim(model::ShardId from, const ProducerClaimLetter& letter);
  void on_lease(ProducerLeaseLetter&& letter);
  void on_recall(const ProducerRecallLetter& letter);
  void on_return(ProducerReturnLetter&& letter);

  /// Producers whose home this is.
  std::size_t size() const { return homes_.size(); }

 private:
  struct Waiting {
    model::ShardId shard;
    model::ConnectionId connection;
    std::uint64_t epoch;
  };
  struct Home {
    session::ProducerState state;  // while nobody holds the lease
    std::uint64_t epoch = 0;       // of the newest client
    bool leased = false;
    bool recalling = false;
    model::ShardId holder;
    std::deque<Waiting> waiting;
    std::list<std::uint64_t>::iterator idle;  // its place in idle_, while not leased
  };
  struct Lease {
    model::ConnectionId connection;
    session::ProducerState state;
  };

  model::ShardId home_of(std::uint64_t producer) const {
    return model::ShardId(static_cast<std::uint16_t>(producer % core_.shard_count()));
  }
  template <typename Letter>
  void post(model::ShardId to, Letter letter);
  void lease(model::ShardId to, ProducerLeaseLetter&& letter);
  void recall(Home& home, std::uint64_t producer);
  void grant_next(Home& home, std::uint64_t producer);
  void give_back(std::uint64_t producer, session::ProducerState&& state);

  Core& core_;
  std::function<void(Connection&)> granted_;
  std::function<void(Connection&)> recalled_;
  std::unordered_map<std::uint64_t, Lease> leases_;  // of connections of this shard; stable
  std::unordered_map<std::uint64_t, Home> homes_;
  std::list<std::uint64_t> idle_;  // held by nobody, the one held longest ago first
};

}  // namespace sluice::shard
