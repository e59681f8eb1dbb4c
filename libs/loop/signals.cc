#include "libs/loop/signals.h"

#include <csignal>
#include <utility>
#include <vector>

#include "libs/loop/uv_internal.h"

namespace sluice::loop {
namespace {

struct SignalHandle {
  Loop& loop;
  std::function<void(int)> on_signal;
  uv_signal_t handle{};
};

}  // namespace

struct Signals::Impl {
  std::vector<SignalHandle*> handles;  // each deletes itself once libuv has let go of it
};

Signals::Signals(Loop& loop, std::initializer_list<int> numbers, std::function<void(int)> on_signal)
    : impl_(new Impl) {
  for (const int number : numbers) {
    auto* entry = new SignalHandle{loop, on_signal};
    ASSERT(uv_signal_init(register_handle(loop), &entry->handle) == 0);
    entry->handle.data = entry;
    ASSERT(uv_signal_start(
               &entry->handle,
               [](uv_signal_t* handle, int caught) noexcept {
                 auto* signal = static_cast<SignalHandle*>(handle->data);
                 signal->loop.impl().enter();
                 signal->on_signal(caught);
               },
               number) == 0);
    impl_->handles.push_back(entry);
  }
}

Signals::~Signals() {
  for (SignalHandle* entry : impl_->handles) {
    ASSERT(entry->loop.is_owner());
    close_and_delete(entry->loop, entry, &entry->handle);
  }
  delete impl_;
}

void ignore_sigpipe() noexcept { std::signal(SIGPIPE, SIG_IGN); }

}  // namespace sluice::loop
