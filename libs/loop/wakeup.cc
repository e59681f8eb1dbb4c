#include "libs/loop/wakeup.h"

#include <utility>

#include "libs/loop/uv_internal.h"

namespace sluice::loop {

struct Wakeup::Impl {
  Loop& loop;
  std::function<void()> on_wakeup;
  uv_async_t handle{};
};

Wakeup::Wakeup(Loop& loop, std::function<void()> on_wakeup)
    : impl_(new Impl{loop, std::move(on_wakeup)}) {
  uv_loop_t* uv = register_handle(loop);
  impl_->handle.data = impl_;
  ASSERT(uv_async_init(uv, &impl_->handle, [](uv_async_t* handle) noexcept {
           Impl* impl = static_cast<Impl*>(handle->data);
           impl->loop.impl().enter();
           impl->on_wakeup();
         }) == 0);
}

Wakeup::~Wakeup() {
  ASSERT(impl_->loop.is_owner());
  close_and_delete(impl_->loop, impl_, &impl_->handle);
}

void Wakeup::post() noexcept { uv_async_send(&impl_->handle); }

}  // namespace sluice::loop
