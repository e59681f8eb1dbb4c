// context.h: is the work still wanted, until when, and on whose behalf?
//
//   CancelSource source(parent, executor, executor.clock().now() + 250ms);
//   auto item = co_await channel.receive(source.context());
//
// Contexts form a tree. A context is done when it is cancelled, when its deadline passes, or when
// its parent is done; err() and cause() then say which and why, and everything that waits with it
// wakes at once. A Context is a handle: copies are the same context. The one without a parent,
// Context(), is never done.
//
// Owner:    a CancelSource owns the right to cancel; its end cancels and detaches from the parent,
//           so that a finished child costs its parent nothing.
// Thread:   any thread.
// Errors:   kCanceled, kDeadlineExceeded.
// Tests:    tests/unit/libs/async/context_test.cc

#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "libs/async/executor.h"
#include "libs/base/result.h"

namespace sluice::async {

/// Names a value of type T in contexts. Two keys are never equal: declare one, `inline const`.
template <typename T>
class ContextKey {
 public:
  constexpr ContextKey() = default;
  ContextKey(const ContextKey&) = delete;
  ContextKey& operator=(const ContextKey&) = delete;

 private:
  char identity_ = 0;  // an address of its own
};

class Context {
 public:
  /// The root: never done, no deadline, no values.
  Context() noexcept = default;

  bool is_done() const noexcept { return token().stop_requested(); }
  /// kNone while it lasts, then kCanceled or kDeadlineExceeded.
  base::ErrorCode err() const;
  /// What cancel() was given, here or in the nearest ancestor; code kNone while it lasts.
  base::Error cause() const;
  /// An error with err() as code and the cause as detail once it is done.
  base::Status check() const;
  /// The earliest deadline from here to the root; kNever when there is none.
  base::MonotonicTime deadline() const noexcept;
  /// Stops when the context is done: for std::stop_callback and for code that knows no contexts.
  std::stop_token token() const noexcept;

  /// The same context with one more value; what was set for the same key is hidden.
  template <typename T>
  Context with_value(const ContextKey<T>& key, T value) const {
    return with_erased(&key, std::make_shared<const T>(std::move(value)));
  }
  /// The value set nearest to here, or null. Lives as long as this context.
  template <typename T>
  const T* value(const ContextKey<T>& key) const noexcept {
    return static_cast<const T*>(find_erased(&key));
  }

  /// For people: "deadline in 1.2s", "canceled: shutting down", "background".
  std::string describe(base::MonotonicTime now) const;

 private:
  friend class CancelSource;
  struct Core;
  struct Value {
    const void* key;
    std::shared_ptr<const void> value;
    std::shared_ptr<const Value> outer;
  };
  Context with_erased(const void* key, std::shared_ptr<const void> value) const;
  const void* find_erased(const void* key) const noexcept;

  std::shared_ptr<Core> core_;           // null: never done
  std::shared_ptr<const Value> values_;  // innermost first
};

/// A child context and the right to end it.
class CancelSource {
 public:
  explicit CancelSource(const Context& parent = {});
  /// Done at `deadline` by the executor's clock, if not before. The executor outlives the source.
  CancelSource(const Context& parent, Executor& executor, base::MonotonicTime deadline);
  CancelSource(CancelSource&&) noexcept = default;
  CancelSource& operator=(CancelSource&& other) noexcept;
  ~CancelSource();

  const Context& context() const noexcept { return context_; }
  /// Does nothing when the context is done already.
  void cancel(std::string why = {});
  /// The same, with a cause that another part of the program can tell apart.
  void cancel(base::Error cause);

 private:
  void end() noexcept;
  Context context_;
};

}  // namespace sluice::async
