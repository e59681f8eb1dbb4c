// start.h: how does a task begin that nobody awaits?
//
//   start(executor, serve(ctx), [](base::Result<int> outcome) { … });   // any thread
//   int result = block_on(executor, answer(ctx));                       // not on the executor
//
// Prefer a Scope (scope.h), which also waits for the end; these two are the doors into the world of
// coroutines from plain code.
//
// Thread:   start: any thread. block_on: any thread but the executor's, which it waits for.
// Errors:   start: an exception becomes kInternal with its text. block_on throws it again.
// Tests:    tests/unit/libs/async/task_test.cc

#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "libs/async/task.h"

namespace sluice::async {

/// What an exception says, as an Error of kInternal.
base::Error error_of(const std::exception_ptr& thrown);

namespace detail {

/// A coroutine that owns itself: it ends with its last statement.
struct Detached {
  class promise_type {
   public:
    Detached get_return_object() noexcept {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
    Executor& executor() const noexcept { return *executor_; }
    void set_executor(Executor& executor) noexcept { executor_ = &executor; }

   private:
    Executor* executor_ = nullptr;
  };
  std::coroutine_handle<promise_type> handle;
};

/// Awaits `task` and gives `done` either its value or what it threw.
template <typename T, typename Done>
Detached drive(Task<T> task, Done done) {
  std::exception_ptr thrown;
  if constexpr (std::is_void_v<T>) {
    try {
      co_await std::move(task);
    } catch (...) {
      thrown = std::current_exception();
    }
    done(thrown);
  } else {
    std::optional<T> value;
    try {
      value.emplace(co_await std::move(task));
    } catch (...) {
      thrown = std::current_exception();
    }
    done(thrown, std::move(value));
  }
}

inline void launch(Executor& executor, Detached detached) {
  detached.handle.promise().set_executor(executor);
  executor.post([handle = detached.handle] { handle.resume(); });
}

}  // namespace detail

/// Runs `task` on `executor` and then, there, `done` with its Result.
template <typename T, typename Done>
void start(Executor& executor, Task<T> task, Done done) {
  if constexpr (std::is_void_v<T>) {
    auto finish = [done = std::move(done)](const std::exception_ptr& thrown) mutable {
      if (thrown != nullptr) return done(base::Status(base::fail(error_of(thrown))));
      done(base::Status());
    };
    detail::launch(executor, detail::drive(std::move(task), std::move(finish)));
  } else {
    auto finish = [done = std::move(done)](const std::exception_ptr& thrown,
                                           std::optional<T> value) mutable {
      if (thrown != nullptr) return done(base::Result<T>(base::fail(error_of(thrown))));
      done(base::Result<T>(std::move(*value)));
    };
    detail::launch(executor, detail::drive(std::move(task), std::move(finish)));
  }
}

/// Runs `task` on `executor` and waits for it in this thread. Returns or throws what it does.
template <typename T>
T block_on(Executor& executor, Task<T> task) {
  struct Rendezvous {
    std::mutex mutex;
    std::condition_variable done;
    bool is_done = false;
    std::exception_ptr thrown;

    void arrive() {
      // Notified under the lock: the waiter destroys this as soon as it can take it.
      const std::lock_guard lock(mutex);
      is_done = true;
      done.notify_one();
    }
    void wait() {
      std::unique_lock lock(mutex);
      done.wait(lock, [this] { return is_done; });
      if (thrown != nullptr) std::rethrow_exception(thrown);
    }
  };
  Rendezvous rendezvous;
  if constexpr (std::is_void_v<T>) {
    auto finish = [&rendezvous](const std::exception_ptr& thrown) {
      rendezvous.thrown = thrown;
      rendezvous.arrive();
    };
    detail::launch(executor, detail::drive(std::move(task), finish));
    rendezvous.wait();
  } else {
    std::optional<T> result;
    auto finish = [&rendezvous, &result](const std::exception_ptr& thrown, std::optional<T> value) {
      rendezvous.thrown = thrown;
      result = std::move(value);
      rendezvous.arrive();
    };
    detail::launch(executor, detail::drive(std::move(task), finish));
    rendezvous.wait();
    return std::move(*result);
  }
}

}  // namespace sluice::async
