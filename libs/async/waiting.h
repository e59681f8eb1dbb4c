// waiting.h: what every waiting operation of this folder is made of.
//
// A coroutine that has to wait links a Waiter into the list of what it waits for, under that
// object's mutex. Whoever unlinks it, again under the mutex, owns its wake-up: the object when its
// time has come, or the context when it is done. So each waiter is woken exactly once. Waking posts
// to the waiter's own executor; since that runs one piece of work at a time, a waiter is never
// resumed while it is still on its way into waiting.
//
// Owner:    a Waiter lives in the awaiter, and so in the coroutine that waits.
// Thread:   under the mutex of the object waited for.
// Tests:    tests/unit/libs/async/event_test.cc, channel_test.cc

#pragma once

#include <coroutine>

#include "libs/async/executor.h"
#include "libs/base/assert.h"

namespace sluice::async::detail {

struct Waiter {
  Waiter* previous = nullptr;
  Waiter* next = nullptr;
  bool is_linked = false;
  bool is_cancelled = false;  // its context woke it
  Executor* executor = nullptr;
  std::coroutine_handle<> handle;

  template <typename Promise>
  void set_coroutine(std::coroutine_handle<Promise> waiting) noexcept {
    executor = &waiting.promise().executor();
    handle = waiting;
    DASSERT(executor->is_current());
  }
  /// Requires: unlinked by the caller. The waiter may be gone when this returns.
  void wake() {
    executor->post([resumed = handle] { resumed.resume(); });
  }
};

/// First come, first served.
class WaiterList {
 public:
  bool empty() const noexcept { return first_ == nullptr; }

  void push_back(Waiter& waiter) noexcept {
    ASSERT(!waiter.is_linked);
    waiter.is_linked = true;
    waiter.previous = last_;
    waiter.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &waiter;
    last_ = &waiter;
  }

  /// Null when empty.
  Waiter* pop_front() noexcept {
    Waiter* front = first_;
    if (front != nullptr) remove(*front);
    return front;
  }

  void remove(Waiter& waiter) noexcept {
    ASSERT(waiter.is_linked);
    waiter.is_linked = false;
    (waiter.previous == nullptr ? first_ : waiter.previous->next) = waiter.next;
    (waiter.next == nullptr ? last_ : waiter.next->previous) = waiter.previous;
  }

 private:
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

/// What a context calls to end a wait.
template <typename Awaiter>
struct CancelWait {
  Awaiter* awaiter;
  void operator()() const noexcept { awaiter->on_context_done(); }
};

}  // namespace sluice::async::detail
