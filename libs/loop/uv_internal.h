// uv_internal.h: what the sources of this folder share; no other folder includes it.
//
// A handle of libuv must stay where it is until its close callback has run, which is a turn after
// it was closed. Each class here therefore keeps its handle in an Impl that is given up by
// close_and_delete and deletes itself.
//
// Thread:   owner thread of the loop.

#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <uv.h>

#include "libs/base/assert.h"
#include "libs/base/result.h"
#include "libs/loop/loop.h"

namespace sluice::loop {

struct Loop::Impl {
  uv_loop_t uv{};
  uv_prepare_t prepare{};
  uv_idle_t idle{};
  uv_async_t stop_signal{};
  std::atomic<std::thread::id> owner;
  std::atomic<bool> stop_wanted{false};
  bool running = false;
  bool in_turn = false;
  std::size_t live_handles = 0;
  base::MonotonicTime turn_began;
  std::function<void()> turn_begin_hook;
  std::function<void()> turn_end_hook;
  LoopStats stats;

  /// Every callback of this folder calls it first.
  void enter() noexcept {
    if (!in_turn) begin_turn();
  }
  void begin_turn() noexcept;
  void end_turn() noexcept;
};

/// The error for a negative status of libuv: what was being done, and libuv's text.
base::Error uv_error(base::ErrorCode code, int status, std::string_view doing);

/// The same for a value of errno.
base::Error errno_error(base::ErrorCode code, int error_number, std::string_view doing);

/// True for the errors that mean "no more descriptors or memory".
bool is_exhaustion(int error_number) noexcept;

/// Closes `handle` and deletes `impl`, which contains it, when libuv has let go of it.
template <typename Impl, typename Handle>
void close_and_delete(Loop& loop, Impl* impl, Handle* handle) noexcept {
  ASSERT(loop.impl().live_handles > 0);
  --loop.impl().live_handles;
  handle->data = impl;
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) noexcept { delete static_cast<Impl*>(closed->data); });
}

/// A handle is about to be made on `loop`: checks the thread and counts it.
inline uv_loop_t* register_handle(Loop& loop) noexcept {
  ASSERT(loop.is_owner());
  ++loop.impl().live_handles;
  return &loop.impl().uv;
}

}  // namespace sluice::loop
