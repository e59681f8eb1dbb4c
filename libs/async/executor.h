// executor.h: where does a coroutine run?
//
// An executor runs work one piece at a time on one thread. A coroutine stays on the executor it was
// started on: whatever it waits for, it resumes there. So coroutines of one executor never run at
// the same time and share data without locks.
//
// Owner:    whoever wires the program; outlives everything started on it.
// Thread:   post, post_at and cancel: any thread.
// Tests:    tests/unit/libs/async/

#pragma once

#include <cstdint>
#include <functional>

#include "libs/base/clock.h"
#include "libs/base/strong_id.h"

namespace sluice::async {

struct TimerTag {};
using TimerId = base::StrongId<TimerTag, std::uint64_t>;

class Executor {
 public:
  using Work = std::function<void()>;

  virtual ~Executor() = default;

  /// Runs `work` later, after everything posted before.
  virtual void post(Work work) = 0;
  /// Runs `work` at `when`, or soon if that has passed.
  virtual TimerId post_at(base::MonotonicTime when, Work work) = 0;
  /// True: the work had not begun and never will. False: it has run, runs, or is about to.
  virtual bool cancel(TimerId timer) = 0;
  virtual const base::Clock& clock() const noexcept = 0;
  /// True in work that this executor runs.
  virtual bool is_current() const noexcept = 0;
};

}  // namespace sluice::async
