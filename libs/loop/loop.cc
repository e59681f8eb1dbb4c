#include "libs/loop/loop.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "libs/loop/uv_internal.h"

namespace sluice::loop {
namespace {

base::MonotonicTime clock_now() noexcept { return base::SystemClock().now(); }

}  // namespace

void Loop::Impl::begin_turn() noexcept {
  in_turn = true;
  turn_began = clock_now();
  if (turn_begin_hook) turn_begin_hook();
}

void Loop::Impl::end_turn() noexcept {
  if (!in_turn) return;
  if (turn_end_hook) turn_end_hook();
  in_turn = false;
  const base::Duration took = clock_now() - turn_began;
  ++stats.turns;
  stats.busy += took;
  stats.longest_turn = std::max(stats.longest_turn, took);
}

Loop::Loop() : impl_(std::make_unique<Impl>()) {
  Impl& impl = *impl_;
  impl.owner = std::this_thread::get_id();
  impl.turn_began = clock_now();
  ASSERT(uv_loop_init(&impl.uv) == 0);
  // The prepare callback is the last thing libuv calls before it waits.
  ASSERT(uv_prepare_init(&impl.uv, &impl.prepare) == 0);
  impl.prepare.data = &impl;
  ASSERT(uv_prepare_start(&impl.prepare, [](uv_prepare_t* handle) noexcept {
           static_cast<Impl*>(handle->data)->end_turn();
         }) == 0);
  ASSERT(uv_idle_init(&impl.uv, &impl.idle) == 0);
  impl.idle.data = &impl;
  // The handle that keeps run() going until stop(), and that a stop() from elsewhere wakes.
  ASSERT(uv_async_init(&impl.uv, &impl.stop_signal,
                       [](uv_async_t* handle) noexcept { uv_stop(handle->loop); }) == 0);
}

Loop::~Loop() {
  ASSERT(!impl_->running);
  ASSERT(impl_->live_handles == 0);
  impl_->turn_begin_hook = nullptr;
  impl_->turn_end_hook = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->prepare), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->idle), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->stop_signal), nullptr);
  uv_run(&impl_->uv, UV_RUN_DEFAULT);  // the close callbacks
  ASSERT(uv_loop_close(&impl_->uv) == 0);
}

void Loop::run() {
  ASSERT(!impl_->running);
  const std::thread::id before = impl_->owner.exchange(std::this_thread::get_id());
  impl_->running = true;
  // A uv_stop may be left over from a stop() that crossed the end of the last run: try again.
  while (!impl_->stop_wanted.load(std::memory_order_acquire)) uv_run(&impl_->uv, UV_RUN_DEFAULT);
  impl_->end_turn();
  impl_->stop_wanted = false;
  impl_->running = false;
  impl_->owner = before;
}

void Loop::run_once() {
  ASSERT(is_owner());
  uv_run(&impl_->uv, UV_RUN_ONCE);
  impl_->end_turn();
}

void Loop::run_ready() {
  ASSERT(is_owner());
  uv_run(&impl_->uv, UV_RUN_NOWAIT);
  impl_->end_turn();
}

void Loop::stop() noexcept {
  impl_->stop_wanted.store(true, std::memory_order_release);
  uv_async_send(&impl_->stop_signal);
}

base::MonotonicTime Loop::now() const noexcept { return impl_->turn_began; }

bool Loop::is_owner() const noexcept {
  return impl_->owner.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

void Loop::on_turn_begin(std::function<void()> hook) { impl_->turn_begin_hook = std::move(hook); }

void Loop::on_turn_end(std::function<void()> hook) { impl_->turn_end_hook = std::move(hook); }

void Loop::request_turn() noexcept {
  DASSERT(is_owner());
  // A started idle handle makes the next wait return at once.
  uv_idle_start(&impl_->idle, [](uv_idle_t* handle) noexcept {
    uv_idle_stop(handle);
    static_cast<Impl*>(handle->data)->enter();
  });
}

LoopStats Loop::take_stats() noexcept {
  LoopStats taken = impl_->stats;
  impl_->stats.longest_turn = base::Duration(0);
  return taken;
}

base::Error uv_error(base::ErrorCode code, int status, std::string_view doing) {
  std::string detail(doing);
  detail += ": ";
  detail += uv_strerror(status);
  return {code, std::move(detail)};
}

base::Error errno_error(base::ErrorCode code, int error_number, std::string_view doing) {
  return uv_error(code, uv_translate_sys_error(error_number), doing);
}

bool is_exhaustion(int error_number) noexcept {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
         error_number == ENOMEM;
}

}  // namespace sluice::loop
