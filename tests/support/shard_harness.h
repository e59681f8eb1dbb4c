// shard_harness.h: a whole broker's core in one thread, with a clock that stands still.
//
//   ShardHarness broker({.shards = 2});
//   TestClient& a = broker.connect(0);
//   a.publish("x", {"1"});
//   broker.run();
//
// Shards take turns one after another exactly as ShardLoop drives them; after every turn their
// invariants and the ledger's law are checked. The same seed gives the same run.
//
// Owner:    a test.
// Thread:   the test's.
// Tests:    it is used by tests/unit/broker/shard, tests/sim and tests/fuzz.

#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/shard/shard.h"
#include "libs/base/clock.h"
#include "tests/support/test_client.h"

namespace sluice::testing {

struct HarnessOptions {
  std::uint16_t shards = 1;
  std::uint64_t seed = 1;
  shard::Options options{};            // shard_count and default_ladder are filled in
  bool check = true;                   // invariants after every turn
  flow::MemoryLevels memory_levels{};  // with a budget
  std::uint64_t memory_budget = 0;     // 0: none
  /// The spill store of a shard, which calls `wake` when it needs another turn. Null: in memory.
  std::function<std::unique_ptr<port::SpillStore>(std::uint16_t shard, std::function<void()> wake)>
      make_spill{};
};

/// Counts what a shard reports.
class CountingSink final : public port::EventSink, public port::AdminSink {
 public:
  void connection_opened(model::ConnectionId, std::string_view, std::string_view) override {
    ++opened;
  }
  void connection_closed(model::ConnectionId, std::string_view, const base::Error* why) override {
    ++closed;
    closed_for = why == nullptr ? base::ErrorCode::kNone : why->code;
  }
  void subscription_dropping(model::ConnectionId, std::string_view, std::uint64_t) override {
    ++dropping;
  }
  void rehearsal(std::string_view, bool begins, base::Duration, base::Duration) override {
    rehearsals += begins ? 1 : -1;
  }
  void on_request(const port::AdminReturn& where, std::string, std::string) override {
    requests.push_back(where);
  }

  std::uint64_t opened = 0;
  std::uint64_t closed = 0;
  base::ErrorCode closed_for = base::ErrorCode::kNone;  // the last of them
  std::uint64_t dropping = 0;
  int rehearsals = 0;  // begun and not ended
  std::vector<port::AdminReturn> requests;
};

/// What the network lets a turn have.
struct TurnOptions {
  /// Most bytes read from each client.
  std::function<std::size_t(const TestClient&)> reads;
  bool mail = true;  // false: what other shards have posted comes later
};

class ShardHarness {
 public:
  explicit ShardHarness(HarnessOptions options = {});
  ~ShardHarness();

  /// A client on shard `shard` that has said HELLO and heard WELCOME.
  TestClient& connect(std::size_t shard, std::string_view name = "test");
  /// A client that has not said anything.
  TestClient& connect_silently(std::size_t shard);

  /// One turn of one shard. Returns whether it did anything.
  bool turn(std::size_t shard, std::size_t read_most = 64U << 10);
  bool turn(std::size_t shard, const TurnOptions& options);
  /// Turns for all until nothing is left to do.
  void run();
  /// Lets time pass in steps, with turns as timers become due.
  void pass(base::Duration time);

  /// Hands it to every shard, as the daemon does.
  void set_limits(const flow::LimitTableRef& table);

  shard::Shard& shard(std::size_t at) { return *shards_[at]; }
  const shard::Shard& shard(std::size_t at) const { return *shards_[at]; }
  /// Null without one.
  flow::MemoryBudget* budget() { return budget_.get(); }
  metrics::ShardMetrics& metrics(std::size_t at) { return *metrics_[at]; }
  const metrics::ShardMetrics& metrics(std::size_t at) const { return *metrics_[at]; }
  const base::ManualClock& clock() const { return clock_; }
  base::ManualClock& clock() { return clock_; }
  CountingSink& sink() { return sink_; }
  std::size_t size() const { return shards_.size(); }
  std::deque<std::unique_ptr<TestClient>>& clients() { return clients_; }
  /// All of the shards hold nothing: no message, no pending publish.
  bool idle() const;

 private:
  HarnessOptions options_;
  base::ManualClock clock_;
  CountingSink sink_;
  std::vector<std::unique_ptr<metrics::ShardMetrics>> metrics_;
  std::unique_ptr<flow::MemoryBudget> budget_;
  std::vector<std::unique_ptr<base::SlabPool>> pools_;
  std::vector<std::unique_ptr<port::SpillStore>> spills_;
  std::unique_ptr<shard::PostOffice> office_;
  void ring(std::uint16_t shard);

  std::vector<bool> rung_;
  std::uint64_t rings_ = 0;
  std::deque<std::unique_ptr<TestClient>> clients_;
  std::vector<std::unique_ptr<shard::Shard>> shards_;
};

}  // namespace sluice::testing
