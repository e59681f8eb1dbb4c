// signals.h: what does the operator's signal do?
//
// Owner:    the loop's thread; borrows the loop. While it lives the signals' default actions are
//           off for the whole process.
// Thread:   the loop's owner thread.
// Tests:    tests/unit/libs/loop/signals_test.cc

#pragma once

#include <functional>
#include <initializer_list>

#include "libs/loop/loop.h"

namespace sluice::loop {

class Signals {
 public:
  /// Calls `on_signal` with the number, on the loop, for each of `numbers` (SIGTERM, SIGINT, …).
  Signals(Loop& loop, std::initializer_list<int> numbers, std::function<void(int)> on_signal);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

 private:
  struct Impl;
  Impl* impl_;
};

/// Writing to a closed socket or pipe is an error of that write from now on, not the end of the
/// process. Called once by main.
void ignore_sigpipe() noexcept;

}  // namespace sluice::loop
