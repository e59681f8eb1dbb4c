// timer.h: what happens later on this loop?
//
// Owner:    the loop's thread; borrows the loop.
// Thread:   the loop's owner thread. (asserted)
// Units:    a timer fires at a whole millisecond, never before its time and about one after it.
// Tests:    tests/unit/libs/loop/timer_test.cc

#pragma once

#include <functional>
#include <memory>

#include "libs/base/clock.h"
#include "libs/loop/loop.h"

namespace sluice::loop {

class Timer {
 public:
  Timer(Loop& loop, std::function<void()> on_fire);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  /// Cancels. Allowed inside the callback.
  ~Timer();

  /// Fires once, `after` from now. A running timer is started anew.
  void start(base::Duration after);
  /// Fires every `every`, the first time one `every` from now. Requires: every > 0.
  void start_repeating(base::Duration every);
  /// Nothing fires any more until the next start.
  void cancel() noexcept;
  bool is_active() const noexcept;

 private:
  struct Impl;
  Impl* impl_;  // deletes itself once libuv has let go of it
};

}  // namespace sluice::loop
