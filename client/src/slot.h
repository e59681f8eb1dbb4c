// slot.h: a value that one thread will have and a coroutine waits for.
//
// Owner:    shared by the one who sets and the one who waits; either may go first.
// Thread:   any thread.
// Errors:   wait: what was set, or those of the context.
// Tests:    tests/unit/client/client_test.cc

#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <sluice/error.h>
#include <utility>

#include "libs/async/context.h"
#include "libs/async/event.h"
#include "libs/async/task.h"

namespace sluice::detail {

template <typename T>
class Slot {
 public:
  /// The first value counts, all later ones are dropped.
  void set(Result<T> value) {
    {
      const std::lock_guard lock(mutex_);
      if (value_.has_value()) return;
      value_.emplace(std::move(value));
    }
    ready_.set();
  }

  /// Waits for `slot`, which lives as long as the task. Only one may wait, once.
  static async::Task<Result<T>> wait(std::shared_ptr<Slot> slot, async::Context context) {
    const Status status = co_await slot->ready_.wait(context);
    if (!status) co_return base::fail(status.error());
    co_return slot->take();
  }

 private:
  Result<T> take() {
    const std::lock_guard lock(mutex_);
    return std::move(*value_);
  }

  std::mutex mutex_;
  std::optional<Result<T>> value_;
  async::Event ready_;
};

}  // namespace sluice::detail
