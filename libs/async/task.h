// task.h: a function that can wait.
//
//   Task<int> answer(Context ctx) { co_await sleep_for(ctx, 10ms); co_return 42; }
//
// A task does nothing until it is awaited or started, runs on its awaiter's executor, and passes
// what it returns or throws to the one who awaits it. It is moved, never copied, and awaited once.
//
// Owner:    whoever holds the Task; destroying it destroys the coroutine. A task that was started
//           owns itself until it ends.
// Thread:   the executor it runs on.
// Limits:   a chain of awaited tasks resumes without recursion (symmetric transfer).
// Errors:   an exception is kept and thrown again at co_await; block_on throws it, start() and
//           Scope turn it into an Error of kInternal with its text.
// Tests:    tests/unit/libs/async/task_test.cc

#pragma once

#include <condition_variable>
#include <coroutine>
#include <exception>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "libs/async/executor.h"
#include "libs/base/assert.h"
#include "libs/base/result.h"

namespace sluice::async {

template <typename T = void>
class Task;

namespace detail {

/// What every coroutine of this library has in common, and what awaiters read from it.
class PromiseBase {
 public:
  Executor& executor() const noexcept { return *executor_; }
  void set_executor(Executor& executor) noexcept { executor_ = &executor; }
  void set_continuation(std::coroutine_handle<> handle) noexcept { continuation_ = handle; }

  std::suspend_always initial_suspend() const noexcept { return {}; }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) const noexcept {
      return done.promise().continuation_;
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() const noexcept { return {}; }

 private:
  Executor* executor_ = nullptr;
  std::coroutine_handle<> continuation_ = std::noop_coroutine();
};

template <typename T>
class TaskPromise final : public PromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <typename Value>
    requires std::is_constructible_v<T, Value&&>
  void return_value(Value&& value) {
    outcome_.template emplace<1>(std::forward<Value>(value));
  }
  void unhandled_exception() noexcept { outcome_.template emplace<2>(std::current_exception()); }
  T take() {
    if (outcome_.index() == 2) std::rethrow_exception(std::get<2>(outcome_));
    ASSERT(outcome_.index() == 1);
    return std::move(std::get<1>(outcome_));
  }

 private:
  std::variant<std::monostate, T, std::exception_ptr> outcome_;
};

template <>
class TaskPromise<void> final : public PromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void unhandled_exception() noexcept { thrown_ = std::current_exception(); }
  void take() const {
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
  }

 private:
  std::exception_ptr thrown_;
};

}  // namespace detail

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;
  using value_type = T;
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_ != nullptr) handle_.destroy();
  }

  class Awaiter {
   public:
    explicit Awaiter(Handle handle) noexcept : handle_(handle) {}
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) const noexcept {
      handle_.promise().set_executor(awaiting.promise().executor());
      handle_.promise().set_continuation(awaiting);
      return handle_;
    }
    T await_resume() const { return handle_.promise().take(); }

   private:
    Handle handle_;
  };
  /// Awaited once, as a temporary or moved: `co_await std::move(task)`.
  Awaiter operator co_await() && noexcept {
    ASSERT(handle_ != nullptr);
    return Awaiter(handle_);
  }

 private:
  friend promise_type;
  explicit Task(Handle handle) noexcept : handle_(handle) {}
  Handle handle_;
};

namespace detail {

template <typename T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

}  // namespace detail

/// The executor of the coroutine that awaits it: `Executor& executor = co_await this_executor();`
class this_executor {
 public:
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    executor_ = &awaiting.promise().executor();
    return false;
  }
  Executor& await_resume() const noexcept { return *executor_; }

 private:
  Executor* executor_ = nullptr;
};

}  // namespace sluice::async
