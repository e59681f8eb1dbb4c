#include "libs/async/context.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>

#include "libs/base/units.h"

namespace sluice::async {

using base::Error;
using base::ErrorCode;

struct Context::Core {
  std::mutex mutex;  // guards err and cause; they are set before the stop is requested
  ErrorCode err = ErrorCode::kNone;
  Error cause{ErrorCode::kNone, {}};
  std::stop_source stop;
  base::MonotonicTime deadline = base::kNever;
  Executor* executor = nullptr;  // set with `timer`
  TimerId timer;
  std::optional<std::stop_callback<std::function<void()>>> on_parent_done;

  void finish(ErrorCode code, Error why) {
    {
      const std::lock_guard lock(mutex);
      if (err != ErrorCode::kNone) return;
      err = code;
      cause = std::move(why);
    }
    stop.request_stop();
  }
};

ErrorCode Context::err() const {
  if (core_ == nullptr) return ErrorCode::kNone;
  const std::lock_guard lock(core_->mutex);
  return core_->err;
}

Error Context::cause() const {
  if (core_ == nullptr) return {ErrorCode::kNone, {}};
  const std::lock_guard lock(core_->mutex);
  return core_->cause;
}

base::Status Context::check() const {
  if (!is_done()) return {};
  const std::lock_guard lock(core_->mutex);
  return base::fail(core_->err, core_->cause.detail);
}

base::MonotonicTime Context::deadline() const noexcept {
  return core_ == nullptr ? base::kNever : core_->deadline;
}

std::stop_token Context::token() const noexcept {
  return core_ == nullptr ? std::stop_token() : core_->stop.get_token();
}

Context Context::with_erased(const void* key, std::shared_ptr<const void> value) const {
  Context child = *this;
  child.values_ = std::make_shared<const Value>(Value{key, std::move(value), values_});
  return child;
}

const void* Context::find_erased(const void* key) const noexcept {
  for (const Value* at = values_.get(); at != nullptr; at = at->outer.get()) {
    if (at->key == key) return at->value.get();
  }
  return nullptr;
}

std::string Context::describe(base::MonotonicTime now) const {
  if (core_ == nullptr) return "background";
  if (const base::Status status = check(); !status) {
    const Error& error = status.error();
    std::string text(error.info().name);
    return error.detail.empty() ? text : text + ": " + error.detail;
  }
  if (core_->deadline == base::kNever) return "cancellable";
  const base::Duration left = std::max(core_->deadline - now, base::Duration(0));
  return "deadline in " + base::human_duration(left);
}

CancelSource::CancelSource(const Context& parent) {
  context_ = parent;
  context_.core_ = std::make_shared<Context::Core>();
  Context::Core& core = *context_.core_;
  core.deadline = parent.deadline();
  if (parent.core_ == nullptr) return;
  // The child may be let go of while its parent cancels it: hence the weak reference.
  core.on_parent_done.emplace(parent.token(),
                              [weak = std::weak_ptr(context_.core_), parent_core = parent.core_] {
                                const auto child = weak.lock();
                                if (child == nullptr) return;
                                ErrorCode code;
                                Error cause;
                                {
                                  const std::lock_guard lock(parent_core->mutex);
                                  code = parent_core->err;
                                  cause = parent_core->cause;
                                }
                                child->finish(code, std::move(cause));
                              });
}

CancelSource::CancelSource(const Context& parent, Executor& executor, base::MonotonicTime deadline)
    : CancelSource(parent) {
  Context::Core& core = *context_.core_;
  if (deadline >= core.deadline) return;  // the parent ends first anyway
  core.deadline = deadline;
  if (deadline <= executor.clock().now()) {
    core.finish(ErrorCode::kDeadlineExceeded, {ErrorCode::kDeadlineExceeded, {}});
    return;
  }
  core.executor = &executor;
  core.timer = executor.post_at(deadline, [weak = std::weak_ptr(context_.core_)] {
    const auto timed = weak.lock();
    if (timed != nullptr) {
      timed->finish(ErrorCode::kDeadlineExceeded, {ErrorCode::kDeadlineExceeded, {}});
    }
  });
}

CancelSource& CancelSource::operator=(CancelSource&& other) noexcept {
  if (this != &other) {
    end();
    context_ = std::move(other.context_);
  }
  return *this;
}

CancelSource::~CancelSource() { end(); }

void CancelSource::cancel(std::string why) { cancel(Error{ErrorCode::kCanceled, std::move(why)}); }

void CancelSource::cancel(Error cause) {
  context_.core_->finish(ErrorCode::kCanceled, std::move(cause));
}

void CancelSource::end() noexcept {
  const auto core = std::move(context_.core_);
  if (core == nullptr) return;  // moved from
  core->on_parent_done.reset();
  if (core->executor != nullptr) core->executor->cancel(core->timer);
  core->finish(ErrorCode::kCanceled, {ErrorCode::kCanceled, "its source has ended"});
}

}  // namespace sluice::async
