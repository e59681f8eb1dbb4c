// local_executor.h: an executor in real time that runs in the thread that lends itself to it.
//
// Owner:    whoever makes it; outlives everything started on it.
// Thread:   run(): one thread, which is the current one from then on; post,
//           post_at, cancel and stop from any.
// Tests:    tests/unit/libs/async/thread_executor_test.cc, run_here_test.cc

#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "libs/async/executor.h"

namespace sluice::async {

class LocalExecutor final : public Executor {
 public:
  void post(Work work) override;
  TimerId post_at(base::MonotonicTime when, Work work) override;
  bool cancel(TimerId timer) override;
  const base::Clock& clock() const noexcept override { return clock_; }
  bool is_current() const noexcept override {
    return runner_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  /// Runs work as it comes until stop(), then what is posted by that time. Timers that are not due
  /// by then never run.
  void run();
  /// Ends run(). Nothing of this object is touched after the runner can have seen it.
  void stop();

 private:
  using TimerKey = std::pair<base::MonotonicTime, TimerId>;
  bool take_next(std::unique_lock<std::mutex>& lock, Work& work);

  base::SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> ready_;
  std::map<TimerKey, Work> timers_;
  TimerId next_timer_{1};
  bool stopping_ = false;
  std::atomic<std::thread::id> runner_;
};

}  // namespace sluice::async
