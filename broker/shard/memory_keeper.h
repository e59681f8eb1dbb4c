// memory_keeper.h: what does this shard hold, and what does it give up when memory is short?
//
// Once a turn it adds up what the shard holds, part by part, tells the budget, and does its share
// of what the budget asks for: queues over the ceiling lose their oldest (`squeezed`), idle slabs
// go back, publishers are told how hard it presses.
//
// Owner:    Shard.
// Thread:   the owner shard only.
// Limits:   queues are walked at most every walk_pause(), and only while memory is tight or a
//           ceiling is to be followed, which is waited for before it moves again; STATE goes out
//           when pressure has moved by a step, kSteps of them.
// Tests:    tests/unit/broker/shard/memory_test.cc

#pragma once

#include "broker/shard/core.h"

namespace sluice::shard {

class Publishing;
class Subscriptions;
struct Subscription;

class MemoryKeeper {
 public:
  MemoryKeeper(Core& core, Subscriptions& subscriptions, const Publishing& publishing)
      : core_(core), subscriptions_(subscriptions), publishing_(publishing) {}

  /// Before anything of the turn is sent, so that what it brings leaves with the turn.
  void on_turn();
  /// From one walk over so many queues to the next, so that walks take a small part of the time.
  static base::Duration walk_pause(std::uint64_t queues);

 private:
  std::uint64_t count_parts();
  std::uint64_t walk_queues(std::uint64_t ceiling);
  void squeeze(Subscription& subscription, std::uint64_t ceiling);
  void tell_publishers();

  Core& core_;
  Subscriptions& subscriptions_;
  const Publishing& publishing_;
  base::MonotonicTime next_walk_;
  std::vector<model::SubscriptionSlot> over_;  // scratch of walk_queues
  std::uint8_t step_ = 0;                      // of pressure, as publishers were told
};

}  // namespace sluice::shard
