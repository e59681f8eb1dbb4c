// channel.h: how do tasks hand values to one another?
//
//   Channel<Job> jobs(16);
//   Status sent = co_await jobs.send(ctx, job);
//   while (auto job = co_await jobs.receive(ctx)) { … }      // ends when closed and empty
//
// A channel of capacity 0 is a rendezvous: send returns when a receiver has taken the value. Values
// arrive in the order they were sent, waiters are served in the order they came. After close()
// nothing more can be sent; what is buffered is still received.
//
// Owner:    anybody; nobody may wait on it when it is destroyed.
// Thread:   any thread, any executor.
// Limits:   `capacity` values are buffered; further senders wait.
// Errors:   kClosed (send: closed before it was taken; receive: closed and empty), kWouldBlock
//           (try_ only), those of the context.
// Tests:    tests/unit/libs/async/channel_test.cc, channel_stress_test.cc

#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "libs/async/context.h"
#include "libs/async/waiting.h"

namespace sluice::async {

template <typename T>
class Channel {
 public:
  explicit Channel(std::size_t capacity = 0) : capacity_(capacity) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() { ASSERT(senders_.empty() && receivers_.empty()); }

  class SendAwaiter;
  class ReceiveAwaiter;

  /// `Status status = co_await channel.send(ctx, value);` On an error the value is gone.
  SendAwaiter send(Context context, T value) {
    return SendAwaiter(*this, std::move(context), std::move(value));
  }
  /// `Result<T> value = co_await channel.receive(ctx);`
  ReceiveAwaiter receive(Context context) { return ReceiveAwaiter(*this, std::move(context)); }

  /// Takes `value` only if it succeeds.
  base::Status try_send(T& value) {
    const std::lock_guard lock(mutex_);
    return offer(value);
  }
  base::Status try_send(T&& value) { return try_send(value); }
  base::Result<T> try_receive() {
    const std::lock_guard lock(mutex_);
    return take();
  }

  /// Wakes everybody who waits. Closing twice is no error.
  void close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    while (detail::Waiter* sender = senders_.pop_front()) sender->wake();
    while (detail::Waiter* receiver = receivers_.pop_front()) receiver->wake();
  }
  bool is_closed() const {
    const std::lock_guard lock(mutex_);
    return is_closed_;
  }
  /// Values buffered now.
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return buffer_.size();
  }
  std::size_t capacity() const noexcept { return capacity_; }

 private:
  base::Status offer(T& value);
  base::Result<T> take();

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  bool is_closed_ = false;
  std::deque<T> buffer_;
  detail::WaiterList senders_;    // wait only while the buffer is full
  detail::WaiterList receivers_;  // wait only while nothing is buffered and nobody sends
};

template <typename T>
class Channel<T>::SendAwaiter : private detail::Waiter {
 public:
  SendAwaiter(Channel& channel, Context context, T value)
      : channel_(channel), context_(std::move(context)), value_(std::move(value)) {}

  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiting) {
    set_coroutine(waiting);
    outcome_ = context_.check();
    if (!outcome_) return false;
    {
      const std::lock_guard lock(channel_.mutex_);
      outcome_ = channel_.offer(*value_);
      if (outcome_ || outcome_.error().code != base::ErrorCode::kWouldBlock) return false;
      outcome_ = base::fail(base::ErrorCode::kClosed);  // unless a receiver says otherwise
      channel_.senders_.push_back(*this);
    }
    on_done_.emplace(context_.token(), detail::CancelWait<SendAwaiter>{this});
    return true;
  }
  base::Status await_resume() {
    on_done_.reset();
    return is_cancelled ? context_.check() : std::move(outcome_);
  }

 private:
  friend Channel;
  friend detail::CancelWait<SendAwaiter>;
  // Under the channel's mutex, unlinked: a receiver takes the value.
  T surrender() {
    T value = std::move(*value_);
    outcome_ = base::Status();
    wake();
    return value;
  }
  void on_context_done() {
    const std::lock_guard lock(channel_.mutex_);
    if (!is_linked) return;
    channel_.senders_.remove(*this);
    is_cancelled = true;
    wake();
  }

  Channel& channel_;
  Context context_;
  std::optional<T> value_;
  base::Status outcome_;
  std::optional<std::stop_callback<detail::CancelWait<SendAwaiter>>> on_done_;
};

template <typename T>
class Channel<T>::ReceiveAwaiter : private detail::Waiter {
 public:
  ReceiveAwaiter(Channel& channel, Context context)
      : channel_(channel), context_(std::move(context)) {}

  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiting) {
    set_coroutine(waiting);
    const base::Status alive = context_.check();
    if (!alive) {
      outcome_ = base::fail(alive.error());
      return false;
    }
    {
      const std::lock_guard lock(channel_.mutex_);
      outcome_ = channel_.take();
      if (outcome_ || outcome_.error().code != base::ErrorCode::kWouldBlock) return false;
      outcome_ = base::fail(base::ErrorCode::kClosed);  // unless a sender says otherwise
      channel_.receivers_.push_back(*this);
    }
    on_done_.emplace(context_.token(), detail::CancelWait<ReceiveAwaiter>{this});
    return true;
  }
  base::Result<T> await_resume() {
    on_done_.reset();
    if (is_cancelled) return base::fail(context_.check().error());
    return std::move(outcome_);
  }

 private:
  friend Channel;
  friend detail::CancelWait<ReceiveAwaiter>;
  // Under the channel's mutex, unlinked: a sender hands over its value.
  void accept(T value) {
    outcome_ = std::move(value);
    wake();
  }
  void on_context_done() {
    const std::lock_guard lock(channel_.mutex_);
    if (!is_linked) return;
    channel_.receivers_.remove(*this);
    is_cancelled = true;
    wake();
  }

  Channel& channel_;
  Context context_;
  base::Result<T> outcome_ = base::fail(base::ErrorCode::kWouldBlock);
  std::optional<std::stop_callback<detail::CancelWait<ReceiveAwaiter>>> on_done_;
};

template <typename T>
base::Status Channel<T>::offer(T& value) {
  if (is_closed_) return base::fail(base::ErrorCode::kClosed);
  if (detail::Waiter* receiver = receivers_.pop_front()) {
    static_cast<ReceiveAwaiter*>(receiver)->accept(std::move(value));
    return {};
  }
  if (buffer_.size() >= capacity_) return base::fail(base::ErrorCode::kWouldBlock);
  buffer_.push_back(std::move(value));
  return {};
}

template <typename T>
base::Result<T> Channel<T>::take() {
  std::optional<T> value;
  if (!buffer_.empty()) {
    value.emplace(std::move(buffer_.front()));
    buffer_.pop_front();
  }
  detail::Waiter* waiting = senders_.pop_front();
  if (waiting != nullptr) {
    T sent = static_cast<SendAwaiter*>(waiting)->surrender();
    if (!value.has_value()) return sent;  // a rendezvous
    buffer_.push_back(std::move(sent));
  }
  if (value.has_value()) return std::move(*value);
  return base::fail(is_closed_ ? base::ErrorCode::kClosed : base::ErrorCode::kWouldBlock);
}

}  // namespace sluice::async
