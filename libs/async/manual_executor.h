// manual_executor.h: an executor that does nothing until told, in virtual time.
//
// Owner:    a test.
// Thread:   runs on the thread that made it; post, post_at and cancel from any.
// Tests:    tests/unit/libs/async/manual_executor_test.cc

#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "libs/async/executor.h"

namespace sluice::async {

class ManualExecutor final : public Executor {
 public:
  void post(Work work) override;
  TimerId post_at(base::MonotonicTime when, Work work) override;
  bool cancel(TimerId timer) override;
  const base::Clock& clock() const noexcept override { return clock_; }
  bool is_current() const noexcept override { return std::this_thread::get_id() == owner_; }

  /// Runs posted work, and what that posts, until there is none. Returns how many pieces ran.
  std::size_t run_ready();
  /// Moves time on by `by`, stopping at each timer on the way and running what becomes ready.
  void advance(base::Duration by);
  /// Moves time to each timer in turn until neither work nor timers are left.
  void run_until_idle();
  std::size_t timer_count() const;

 private:
  using TimerKey = std::pair<base::MonotonicTime, TimerId>;
  bool run_next_timer(base::MonotonicTime until);

  std::thread::id owner_ = std::this_thread::get_id();
  base::ManualClock clock_;
  mutable std::mutex mutex_;
  std::deque<Work> ready_;
  std::map<TimerKey, Work> timers_;
  TimerId next_timer_{1};
};

}  // namespace sluice::async
