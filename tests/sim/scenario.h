// scenario.h: one random run of clients, topics, ladders, slow links and several shards.
//
// Everything is drawn from the seed, so that a seed replays exactly. What each client has published
// and asked for is recorded for the checker.
//
// Owner:    main().
// Thread:   the test's.
// Tests:    it is one.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/random.h"
#include "tests/support/shard_harness.h"

namespace sluice::sim {

/// A publish as its client made it.
struct Published {
  std::vector<std::string> payloads;
  bool wants_receipt = true;
  bool needs_all = false;
};

/// What a client did.
struct Actor {
  testing::TestClient* client = nullptr;
  std::map<std::uint64_t, Published> published{};  // by number
  std::map<std::uint32_t, std::string> groups{};   // shared subscriptions, by id
  std::vector<std::uint32_t> subscriptions{};      // plain ones
  std::uint32_t next_id = 1;
  bool left = false;  // it went, of its own accord
};

class Scenario {
 public:
  explicit Scenario(std::uint64_t seed);
  /// Acts at random, then lets everything come to rest.
  void run();

  const std::vector<std::unique_ptr<Actor>>& actors() const { return actors_; }
  testing::ShardHarness& broker() { return *broker_; }

 private:
  void act();
  void connect();
  void publish(Actor& actor);
  void subscribe(Actor& actor);
  void subscribe_shared(Actor& actor);
  void unsubscribe(Actor& actor);
  void credit(Actor& actor);
  void change_link(Actor& actor);
  void leave(Actor& actor);
  void let_time_pass();
  void come_to_rest();
  std::string topic();
  std::string filter();
  std::string ladder();
  bool chance(std::uint32_t percent) { return random_.below(100) < percent; }
  Actor& somebody() { return *actors_[random_.below(actors_.size())]; }

  base::Random random_;
  std::unique_ptr<testing::ShardHarness> broker_;
  std::vector<std::unique_ptr<Actor>> actors_;
  std::uint64_t payloads_ = 0;
};

}  // namespace sluice::sim
