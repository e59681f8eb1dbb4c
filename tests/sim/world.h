// world.h: runs a plan against the real shards, under a virtual clock and a network with faults.
//
// Owner:    main().
// Thread:   the test's.
// Tests:    it is one.

#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/flow/limit_registry.h"
#include "libs/base/random.h"
#include "tests/sim/checker.h"
#include "tests/sim/history.h"
#include "tests/sim/plan.h"
#include "tests/support/shard_harness.h"

namespace sluice::sim {

struct RunOptions {
  bool check_invariants = true;  // the broker's own, which abort
  bool trace = false;            // to standard output
};

class World {
 public:
  World(const Plan& plan, const RunOptions& options);

  /// Until the first step after which something is broken. What that is; empty if nothing.
  std::vector<Finding> run();
  /// Steps taken, when run() is over; more than there are in the plan: at rest or later.
  std::size_t steps_taken() const { return steps_taken_; }
  /// Of all that clients heard: the same for the same plan.
  std::uint64_t fingerprint() const { return fingerprint_; }

  const Profile& profile() const { return plan_.profile; }
  const History& history() const { return history_; }
  const testing::ShardHarness& broker() const { return *broker_; }
  Stamp stamp() const { return stamp_; }

 private:
  class Draw {
   public:
    explicit Draw(std::uint64_t seed) : random_(seed) {}
    bool chance(std::uint32_t percent) { return random_.below(100) < percent; }
    std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
    template <typename List>
    auto& one_of(List& list) {
      return list[random_.below(std::size(list))];
    }

   private:
    base::Random random_;
  };

  // What clients do (world_clients.cc).
  void take(const Step& step);
  bool take_client_step(Act act, Actor& actor, Draw& draw);
  void connect(Draw& draw);
  void publish(Actor& actor, Draw& draw, bool named);
  testing::PublishOptions draw_publish(Published& published, Draw& draw);
  void subscribe(Actor& actor, Draw& draw);
  void join(Actor& actor, Draw& draw);
  void subscribe(Actor& actor, Subscribed&& asked, testing::SubscribeOptions&& options);
  void unsubscribe(Actor& actor, Draw& draw);
  void unsubscribe(Actor& actor, Subscribed& subscribed);
  void credit(Actor& actor, Draw& draw);
  void credit(Actor& actor, Subscribed& subscribed, std::uint64_t messages, std::uint64_t bytes);
  void cancel(Actor& actor, Draw& draw);
  void leave(Actor& actor, Draw& draw, bool politely);
  std::vector<std::string> draw_filters(Draw& draw);

  // What the network and the scheduler do (world.cc).
  void take_network_step(Act act, Draw& draw);
  bool turn(std::size_t shard, std::size_t read_most);
  void settle();
  void pass(base::Duration time);
  base::MonotonicTime next_time(base::MonotonicTime end) const;
  bool held_back() const;
  void lift_faults();
  void set_limits();
  void lift_limits();
  void come_to_rest();
  void end_all();
  void drain();

  // Listening (world.cc).
  void listen(std::size_t shard);
  void hear_receipts(Actor& actor);
  void hear_gone(Actor& actor);
  template <typename Look>
  void check(Look look);
  void say(const std::string& text);

  const Plan& plan_;
  RunOptions options_;
  History history_;
  flow::LimitRegistry limits_{16, 20};
  std::unique_ptr<testing::ShardHarness> broker_;
  std::vector<std::unique_ptr<Checker>> checkers_;
  std::vector<Finding> findings_;
  std::unordered_map<const testing::TestClient*, std::size_t> actor_of_;
  std::vector<base::MonotonicTime> stalled_until_;    // by shard
  std::vector<base::MonotonicTime> mail_late_until_;  // by shard
  Stamp stamp_ = 0;
  std::size_t steps_taken_ = 0;
  std::uint64_t fingerprint_ = 14695981039346656037U;
};

}  // namespace sluice::sim
