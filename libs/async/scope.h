// scope.h: who waits for the tasks that were started?
//
//   Status status = co_await with_scope(ctx, [&](Scope& scope) -> Task<Status> {
//     scope.spawn(produce(scope.context(), channel));
//     scope.spawn(consume(scope.context(), channel));
//     co_return Status();
//   });
//
// No task outlives its scope. The first task that fails cancels the scope's context with its error,
// and with it all the others; join() waits for every one and returns that first error.
//
// Owner:    a coroutine on the scope's executor, which awaits join() before the scope ends.
// Thread:   the executor's; tasks run there.
// Errors:   join: the first error of a task; an exception counts as kInternal with its text.
// Order:    spawn any number, also from within its tasks; join() once; destroy.
// Tests:    tests/unit/libs/async/scope_test.cc

#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "libs/async/context.h"
#include "libs/async/start.h"
#include "libs/async/task.h"

namespace sluice::async {

class Scope {
 public:
  Scope(Executor& executor, const Context& parent) : executor_(executor), source_(parent) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  /// Requires: join() has returned, or nothing was ever spawned.
  ~Scope() { ASSERT(running_ == 0); }

  /// What the tasks should wait with: done when the scope is cancelled, or one of them fails.
  const Context& context() const noexcept { return source_.context(); }

  /// Starts `task`; it runs once this coroutine waits. A value other than an error is dropped.
  template <typename T>
  void spawn(Task<T> task);

  void cancel(std::string why = {}) { source_.cancel(std::move(why)); }

  /// Tasks that have not ended.
  std::size_t running() const noexcept { return running_; }

  class JoinAwaiter {
   public:
    explicit JoinAwaiter(Scope& scope) noexcept : scope_(scope) {}
    bool await_ready() const noexcept { return scope_.running_ == 0; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept {
      ASSERT(scope_.joiner_ == nullptr);
      scope_.joiner_ = waiting;
    }
    base::Status await_resume() const {
      if (scope_.first_error_) return base::fail(*scope_.first_error_);
      return {};
    }

   private:
    Scope& scope_;
  };
  /// `Status status = co_await scope.join();`
  JoinAwaiter join() noexcept { return JoinAwaiter(*this); }

 private:
  void finish(std::optional<base::Error> error);

  Executor& executor_;
  CancelSource source_;
  std::size_t running_ = 0;
  std::optional<base::Error> first_error_;
  std::coroutine_handle<> joiner_;
};

namespace detail {

template <typename T>
struct ResultTraits : std::false_type {};
template <typename T>
struct ResultTraits<base::Result<T>> : std::true_type {};

}  // namespace detail

template <typename T>
void Scope::spawn(Task<T> task) {
  ++running_;
  if constexpr (std::is_void_v<T>) {
    auto done = [this](const std::exception_ptr& thrown) {
      finish(thrown == nullptr ? std::nullopt : std::optional(error_of(thrown)));
    };
    detail::launch(executor_, detail::drive(std::move(task), done));
  } else {
    auto done = [this](const std::exception_ptr& thrown, std::optional<T> value) {
      if (thrown != nullptr) return finish(error_of(thrown));
      if constexpr (detail::ResultTraits<T>::value) {
        if (!value->has_value()) return finish(std::move(value->error()));
      }
      finish(std::nullopt);
    };
    detail::launch(executor_, detail::drive(std::move(task), done));
  }
}

inline void Scope::finish(std::optional<base::Error> error) {
  ASSERT(running_ > 0);
  --running_;
  if (error && !first_error_) {
    first_error_ = error;
    source_.cancel(std::move(*error));
  }
  if (running_ > 0 || joiner_ == nullptr) return;
  executor_.post([joiner = std::exchange(joiner_, nullptr)] { joiner.resume(); });
}

/// Runs `body(scope)` as the first task of a scope, and returns when all its tasks have ended: the
/// form in which nothing can be forgotten.
template <typename Body>
Task<base::Status> with_scope(Context parent, Body body) {
  Executor& executor = co_await this_executor();
  Scope scope(executor, parent);
  scope.spawn(body(scope));
  base::Status status = co_await scope.join();
  co_return status;
}

}  // namespace sluice::async
