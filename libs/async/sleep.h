// sleep.h: waiting for time to pass.
//
//   Status status = co_await sleep_for(ctx, 250ms);
//
// Thread:   the executor of the coroutine, whose clock counts.
// Errors:   those of the context, at once when it is done.
// Tests:    tests/unit/libs/async/sleep_test.cc

#pragma once

#include <optional>
#include <stop_token>
#include <utility>

#include "libs/async/context.h"
#include "libs/async/waiting.h"

namespace sluice::async {

class SleepAwaiter {
 public:
  SleepAwaiter(Context context, base::Duration duration)
      : context_(std::move(context)), duration_(duration) {}

  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiting) {
    if (context_.is_done()) return false;
    executor_ = &waiting.promise().executor();
    handle_ = waiting;
    // Whoever takes the timer away owns the wake-up: the clock by firing it, or the context.
    timer_ = executor_->post_at(executor_->clock().now() + duration_,
                                [handle = handle_] { handle.resume(); });
    on_done_.emplace(context_.token(), detail::CancelWait<SleepAwaiter>{this});
    return true;
  }
  base::Status await_resume() {
    on_done_.reset();
    if (executor_ == nullptr || is_cancelled_) return context_.check();
    return {};
  }

 private:
  friend detail::CancelWait<SleepAwaiter>;
  void on_context_done() {
    if (!executor_->cancel(timer_)) return;
    is_cancelled_ = true;
    executor_->post([handle = handle_] { handle.resume(); });
  }

  Context context_;
  base::Duration duration_;
  Executor* executor_ = nullptr;
  std::coroutine_handle<> handle_;
  TimerId timer_;
  bool is_cancelled_ = false;
  std::optional<std::stop_callback<detail::CancelWait<SleepAwaiter>>> on_done_;
};

inline SleepAwaiter sleep_for(Context context, base::Duration duration) {
  return {std::move(context), duration};
}

}  // namespace sluice::async
