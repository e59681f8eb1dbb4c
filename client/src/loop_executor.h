// loop_executor.h: coroutines on the client's event loop.
//
// Posted work runs at the end of the loop's turn, when run_ready() is called, so that all of it
// that one turn brings is one piece.
//
// Owner:    the I/O thread; borrows the loop.
// Thread:   post, post_at and cancel: any thread. All else: the loop's.
// Limits:   kWorkPerTurn pieces of work a turn, so that coroutines cannot starve the socket.
// Tests:    tests/unit/client/loop_executor_test.cc

#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "libs/async/executor.h"
#include "libs/loop/loop.h"
#include "libs/loop/timer.h"
#include "libs/loop/wakeup.h"

namespace sluice::detail {

class LoopExecutor final : public async::Executor {
 public:
  static constexpr int kWorkPerTurn = 10000;

  explicit LoopExecutor(loop::Loop& loop);

  void post(Work work) override;
  async::TimerId post_at(base::MonotonicTime when, Work work) override;
  bool cancel(async::TimerId timer) override;
  const base::Clock& clock() const noexcept override { return clock_; }
  bool is_current() const noexcept override { return loop_.is_owner(); }

  /// Runs what is posted and due. Called at the end of each turn.
  void run_ready();
  /// Runs what is posted until nothing is left; timers are dropped. Called before the loop goes.
  void finish();

 private:
  using TimerKey = std::pair<base::MonotonicTime, async::TimerId>;
  void attract();
  bool take_next(Work& work);
  void arm_timer();

  loop::Loop& loop_;
  base::SystemClock clock_;
  loop::Wakeup wakeup_;
  loop::Timer timer_;
  std::mutex mutex_;
  std::deque<Work> ready_;
  std::map<TimerKey, Work> timers_;
  async::TimerId next_timer_{1};
  base::MonotonicTime armed_for_ = base::kNever;  // owner thread only
};

}  // namespace sluice::detail
