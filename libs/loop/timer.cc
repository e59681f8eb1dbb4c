#include "libs/loop/timer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "libs/loop/uv_internal.h"

namespace sluice::loop {
namespace {

std::uint64_t to_milliseconds(base::Duration duration) {
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(rounded, 0));
}

}  // namespace

struct Timer::Impl {
  Loop& loop;
  std::function<void()> on_fire;
  uv_timer_t handle{};

  void start(std::uint64_t after_ms, std::uint64_t repeat_ms) {
    ASSERT(loop.is_owner());
    // libuv counts from the start of the turn, which may be a while ago.
    uv_update_time(&loop.impl().uv);
    uv_timer_start(
        &handle,
        [](uv_timer_t* fired) noexcept {
          Impl* impl = static_cast<Impl*>(fired->data);
          impl->loop.impl().enter();
          impl->on_fire();
        },
        after_ms, repeat_ms);
  }
};

Timer::Timer(Loop& loop, std::function<void()> on_fire)
    : impl_(new Impl{loop, std::move(on_fire)}) {
  ASSERT(uv_timer_init(register_handle(loop), &impl_->handle) == 0);
  impl_->handle.data = impl_;
}

Timer::~Timer() {
  ASSERT(impl_->loop.is_owner());
  close_and_delete(impl_->loop, impl_, &impl_->handle);
}

void Timer::start(base::Duration after) {
  // libuv's own clock is cut to a millisecond: one more keeps the timer from firing early.
  const std::uint64_t after_ms = to_milliseconds(after);
  impl_->start(after_ms == 0 ? 0 : after_ms + 1, 0);
}

void Timer::start_repeating(base::Duration every) {
  ASSERT(every > base::Duration(0));
  const std::uint64_t every_ms = to_milliseconds(every);
  impl_->start(every_ms + 1, every_ms);
}

void Timer::cancel() noexcept {
  ASSERT(impl_->loop.is_owner());
  uv_timer_stop(&impl_->handle);
}

bool Timer::is_active() const noexcept {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&impl_->handle)) != 0;
}

}  // namespace sluice::loop
