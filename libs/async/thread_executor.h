// thread_executor.h: an executor with a thread of its own, in real time.
//
// Owner:    whoever makes it. Destroying it runs what is posted already, then ends the thread;
//           timers that are not due by then never run.
// Thread:   any; destroyed on another than its own.
// Tests:    tests/unit/libs/async/thread_executor_test.cc

#pragma once

#include <thread>
#include <utility>

#include "libs/async/local_executor.h"
#include "libs/base/assert.h"

namespace sluice::async {

class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor() : thread_([this] { local_.run(); }) {}
  ThreadExecutor(const ThreadExecutor&) = delete;
  ThreadExecutor& operator=(const ThreadExecutor&) = delete;
  ~ThreadExecutor() override {
    ASSERT(!is_current());
    local_.stop();
    thread_.join();
  }

  void post(Work work) override { local_.post(std::move(work)); }
  TimerId post_at(base::MonotonicTime when, Work work) override {
    return local_.post_at(when, std::move(work));
  }
  bool cancel(TimerId timer) override { return local_.cancel(timer); }
  const base::Clock& clock() const noexcept override { return local_.clock(); }
  bool is_current() const noexcept override { return local_.is_current(); }

 private:
  LocalExecutor local_;
  std::thread thread_;  // last: it runs the above
};

}  // namespace sluice::async
