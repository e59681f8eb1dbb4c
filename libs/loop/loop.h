// loop.h: what runs the callbacks of one thread?
//
// A turn is everything between two waits in the kernel. It begins with the first callback after a
// wait and ends when nothing is left to call, before the next wait: then the end hook runs once,
// and that is where a shard sends what the turn has gathered. Callbacks must not throw.
//
// Owner:    the thread that runs it. Borrowed by every Timer, Wakeup, Signals, listener and stream
//           made on it; all of those are destroyed before it.
// Thread:   owner thread only: the one in run(), or the constructing one while none is. (asserted)
//           stop() from any thread.
// Units:    see clock.h.
// Order:    construct, make handles, run(), destroy the handles, destroy.
// Tests:    tests/unit/libs/loop/loop_test.cc

#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "libs/base/clock.h"

namespace sluice::loop {

/// What a loop has done so far.
struct LoopStats {
  std::uint64_t turns = 0;
  base::Duration busy{0};          ///< summed time of the turns
  base::Duration longest_turn{0};  ///< since the last take_stats()
};

class Loop {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  /// Requires: not running, and every handle that was made on it is destroyed.
  ~Loop();

  /// Runs turns until stop(). The calling thread is the owner meanwhile.
  void run();
  /// Waits for something to happen and runs that one turn. For tests and simple programs.
  void run_once();
  /// Runs what is ready without waiting.
  void run_ready();
  /// Ends run() after the current turn; called before run(), ends it after its first turn.
  /// Any thread.
  void stop() noexcept;

  /// The time at which the current turn began: one reading of the clock per turn.
  base::MonotonicTime now() const noexcept;
  bool is_owner() const noexcept;

  /// Called when the first callback of a turn is about to run.
  void on_turn_begin(std::function<void()> hook);
  /// Called after the last callback of a turn, before waiting.
  void on_turn_end(std::function<void()> hook);
  /// Another turn follows even when nothing happens: for work that was put off by a budget.
  void request_turn() noexcept;

  /// The figures so far; starts `longest_turn` anew.
  LoopStats take_stats() noexcept;

  struct Impl;
  /// For the other classes of this folder.
  Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::loop
