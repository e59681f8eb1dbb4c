// shard_loop.h: how does a shard run on a thread of its own?
//
// Owner:    the daemon. Borrows options, ports and clock, which outlive it.
// Thread:   start(), stop(): the daemon's main thread. adopt(), post(), wake(): any. The shard and
//           all sockets: the thread it starts.
// Order:    construct all, start all, stop all, destroy all: shards hold bytes received by others.
// Errors:   none; a connection that the shard refuses is closed.
// Tests:    tests/unit/broker/net/shard_loop_test.cc

#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "broker/net/connection_pump.h"
#include "broker/shard/shard.h"
#include "libs/base/clock.h"
#include "libs/loop/loop.h"
#include "libs/loop/timer.h"
#include "libs/loop/wakeup.h"

namespace sluice::net {

class ShardLoop final : private PumpOwner {
 public:
  ShardLoop(model::ShardId id, const shard::Options& options, const shard::Ports& ports,
            const base::Clock& clock, std::uint64_t seed);
  ~ShardLoop();

  void start();
  /// Ends the thread once its current turn is over, and waits for it. Connections are cut.
  void stop();

  /// Takes over a connected socket.
  void adopt(loop::OwnedFd socket);
  /// Runs `job` on the shard's thread, between events. For control, not for messages.
  void post(std::function<void(shard::Shard&)> job);
  /// There is mail.
  void wake() { mail_.post(); }

  /// Turns, time spent in them, the longest. Only on the shard's thread.
  loop::LoopStats take_stats() { return loop_.take_stats(); }

 private:
  void on_pump_done(ConnectionPump& pump) override { done_.push_back(&pump); }
  void on_pump_sated(ConnectionPump& pump) override { sated_.push_back(&pump); }
  void on_pump_broken(ConnectionPump& pump) override { broken_.push_back(&pump); }
  void run_jobs();
  void begin_turn();
  void end_turn();
  void arm_timer();
  void start_pump(loop::OwnedFd socket);

  const shard::Options& options_;
  metrics::ShardMetrics& metrics_;
  const base::Clock& clock_;
  loop::Loop loop_;
  loop::Wakeup mail_;
  loop::Wakeup jobs_ready_;
  loop::Timer timer_;
  base::MonotonicTime timer_at_ = base::kNever;
  std::unique_ptr<shard::Shard> shard_;
  std::unordered_map<ConnectionPump*, std::unique_ptr<ConnectionPump>> pumps_;
  std::vector<ConnectionPump*> done_;
  std::vector<ConnectionPump*> broken_;
  std::vector<ConnectionPump*> sated_;
  std::mutex mutex_;  // guards jobs_ and sockets_
  std::vector<std::function<void(shard::Shard&)>> jobs_;
  std::vector<loop::OwnedFd> sockets_;
  std::thread thread_;
};

}  // namespace sluice::net
