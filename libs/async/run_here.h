// run_here.h: how does plain code run a task to its end in its own thread?
//
//   Result<Item> item = run_here(250ms, [&](Context ctx) { return subscription.next(ctx); });
//
// The task gets an executor that lives as long as the call, and a context whose deadline is the
// timeout.
//
// Thread:   any; blocks it. Not on an executor's thread, which would stand still meanwhile.
// Errors:   what the task throws is thrown again.
// Tests:    tests/unit/libs/async/run_here_test.cc

#pragma once

#include <utility>

#include "libs/async/context.h"
#include "libs/async/local_executor.h"
#include "libs/async/start.h"

namespace sluice::async {

/// Runs `task` in this thread.
template <typename T>
T run_on(LocalExecutor& executor, Task<T> task) {
  std::exception_ptr thrown;
  if constexpr (std::is_void_v<T>) {
    auto finish = [&](const std::exception_ptr& exception) {
      thrown = exception;
      executor.stop();
    };
    detail::launch(executor, detail::drive(std::move(task), finish));
    executor.run();
    if (thrown != nullptr) std::rethrow_exception(thrown);
  } else {
    std::optional<T> result;
    auto finish = [&](const std::exception_ptr& exception, std::optional<T> value) {
      thrown = exception;
      result = std::move(value);
      executor.stop();
    };
    detail::launch(executor, detail::drive(std::move(task), finish));
    executor.run();
    if (thrown != nullptr) std::rethrow_exception(thrown);
    return std::move(*result);
  }
}

/// Runs the task that `make_task(context)` returns. base::Duration::max() is no timeout.
template <typename MakeTask>
auto run_here(base::Duration timeout, MakeTask make_task) {
  LocalExecutor executor;
  if (timeout == base::Duration::max()) return run_on(executor, make_task(Context()));
  CancelSource source({}, executor, executor.clock().now() + timeout);
  return run_on(executor, make_task(source.context()));
}

}  // namespace sluice::async
