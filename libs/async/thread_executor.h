// thread_executor.h: an executor with a thread of its own, in real time.
//
// Owner:    whoever makes it. Destroying it runs what is posted already, then ends the thread;
//           timers that are not due by then never run.
// Thread:   any.
// Tests:    tests/unit/libs/async/thread_executor_test.cc

#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "libs/async/executor.h"

namespace sluice::async {

class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor();
  ThreadExecutor(const ThreadExecutor&) = delete;
  ThreadExecutor& operator=(const ThreadExecutor&) = delete;
  /// Requires: not called on its own thread.
  ~ThreadExecutor() override;

  void post(Work work) override;
  TimerId post_at(base::MonotonicTime when, Work work) override;
  bool cancel(TimerId timer) override;
  const base::Clock& clock() const noexcept override { return clock_; }
  bool is_current() const noexcept override {
    return std::this_thread::get_id() == thread_.get_id();
  }

 private:
  using TimerKey = std::pair<base::MonotonicTime, TimerId>;
  void run();
  bool take_next(std::unique_lock<std::mutex>& lock, Work& work);

  base::SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> ready_;
  std::map<TimerKey, Work> timers_;
  TimerId next_timer_{1};
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace sluice::async
