// event.h: has it happened yet?
//
// Owner:    anybody; nobody may wait on it when it is destroyed.
// Thread:   any thread.
// Errors:   wait: those of the context.
// Tests:    tests/unit/libs/async/event_test.cc

#pragma once

#include <mutex>
#include <optional>
#include <stop_token>

#include "libs/async/context.h"
#include "libs/async/waiting.h"

namespace sluice::async {

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { ASSERT(waiters_.empty()); }

  /// Wakes all who wait; who comes later does not wait, until reset().
  void set() {
    const std::lock_guard lock(mutex_);
    is_set_ = true;
    while (detail::Waiter* waiter = waiters_.pop_front()) waiter->wake();
  }
  void reset() {
    const std::lock_guard lock(mutex_);
    is_set_ = false;
  }
  bool is_set() const {
    const std::lock_guard lock(mutex_);
    return is_set_;
  }

  class WaitAwaiter : private detail::Waiter {
   public:
    WaitAwaiter(Event& event, Context context) : event_(event), context_(std::move(context)) {}

    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    bool await_suspend(std::coroutine_handle<Promise> waiting) {
      set_coroutine(waiting);
      {
        const std::lock_guard lock(event_.mutex_);
        if (event_.is_set_ || context_.is_done()) return false;
        event_.waiters_.push_back(*this);
      }
      on_done_.emplace(context_.token(), detail::CancelWait<WaitAwaiter>{this});
      return true;
    }
    base::Status await_resume() {
      on_done_.reset();
      if (is_cancelled || !event_.is_set()) return context_.check();
      return {};
    }

   private:
    friend detail::CancelWait<WaitAwaiter>;
    void on_context_done() {
      const std::lock_guard lock(event_.mutex_);
      if (!is_linked) return;
      event_.waiters_.remove(*this);
      is_cancelled = true;
      wake();
    }

    Event& event_;
    Context context_;
    std::optional<std::stop_callback<detail::CancelWait<WaitAwaiter>>> on_done_;
  };
  /// `Status status = co_await event.wait(ctx);`
  WaitAwaiter wait(Context context = {}) { return {*this, std::move(context)}; }

 private:
  mutable std::mutex mutex_;
  bool is_set_ = false;
  detail::WaiterList waiters_;
};

}  // namespace sluice::async
