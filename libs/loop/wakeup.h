// wakeup.h: how does another thread get a loop's attention?
//
// Posts are coalesced: any number of them before the callback runs cause one call, and everything
// the posters wrote before post() is visible in it.
//
// Owner:    the loop's thread; borrows the loop. Whoever posts must have stopped before it goes.
// Thread:   post(): any thread. All else: the loop's owner thread.
// Tests:    tests/unit/libs/loop/wakeup_test.cc

#pragma once

#include <functional>
#include <memory>

#include "libs/loop/loop.h"

namespace sluice::loop {

class Wakeup {
 public:
  Wakeup(Loop& loop, std::function<void()> on_wakeup);
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup();

  /// Cheap when a post is already under way. Any thread, also inside a signal handler.
  void post() noexcept;

 private:
  struct Impl;
  Impl* impl_;  // deletes itself once libuv has let go of it
};

}  // namespace sluice::loop
