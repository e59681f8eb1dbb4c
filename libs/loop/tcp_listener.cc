#include "libs/loop/tcp_listener.h"

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/socket.h>
#include <utility>

#include "libs/loop/socket.h"
#include "libs/loop/timer.h"
#include "libs/loop/uv_internal.h"

namespace sluice::loop {
namespace {

using base::ErrorCode;

OwnedFd reserve_descriptor() { return OwnedFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

OwnedFd accept_from(int listening) {
  return OwnedFd(::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

bool is_of_that_connection_only(int error_number) {
  return error_number == ECONNABORTED || error_number == EINTR || error_number == EPROTO ||
         error_number == EPERM;
}

base::Result<OwnedFd> bind_and_listen(const addrinfo& address, const ListenOptions& options) {
  const std::string name = to_host_port(address.ai_addr, address.ai_addrlen).text();
  OwnedFd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return base::fail(errno_error(ErrorCode::kIo, errno, "socket for " + name));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (options.reuse_port && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    return base::fail(errno_error(ErrorCode::kIo, errno, "SO_REUSEPORT on " + name));
  }
  if (::bind(fd.get(), address.ai_addr, address.ai_addrlen) != 0 ||
      ::listen(fd.get(), options.backlog) != 0) {
    const ErrorCode code = errno == EADDRINUSE ? ErrorCode::kAddressInUse : ErrorCode::kIo;
    return base::fail(errno_error(code, errno, "listen on " + name));
  }
  return fd;
}

}  // namespace

struct TcpListener::Impl {
  Loop& loop;
  Callbacks callbacks;
  uv_poll_t handle{};
  OwnedFd fd{};
  OwnedFd reserve{};  // given up for a moment to accept and close what cannot be kept
  std::optional<Timer> retry{};
  bool polling_made = false;
  bool paused = false;
  bool exhausted_reported = false;  // until a connection is accepted again
  bool closed = false;
  std::uint64_t shed = 0;

  void start_polling() noexcept {
    uv_poll_start(&handle, UV_READABLE, [](uv_poll_t* polled, int, int) noexcept {
      Impl* impl = static_cast<Impl*>(polled->data);
      impl->loop.impl().enter();
      impl->accept_some();
    });
  }
  void accept_some();
  void exhausted(int error_number);
  void shed_pending();
};

void TcpListener::Impl::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn && !closed && !paused; ++i) {
    OwnedFd accepted = accept_from(fd.get());
    if (accepted) {
      exhausted_reported = false;
      callbacks.on_accept(std::move(accepted));
      continue;
    }
    if (is_of_that_connection_only(errno)) continue;
    if (is_exhaustion(errno)) exhausted(errno);
    return;
  }
}

void TcpListener::Impl::exhausted(int error_number) {
  uv_poll_stop(&handle);
  shed_pending();
  retry->start(kRetryAfter);
  if (std::exchange(exhausted_reported, true)) return;
  if (callbacks.on_accept_error) {
    callbacks.on_accept_error(
        errno_error(ErrorCode::kResourceExhausted, error_number, "accepting connections"));
  }
}

void TcpListener::Impl::shed_pending() {
  for (int i = 0; i < kShedPerRetry; ++i) {
    reserve.reset();
    const bool did_accept = static_cast<bool>(accept_from(fd.get()));  // and closed at once
    reserve = reserve_descriptor();
    if (!did_accept) return;
    ++shed;
  }
}

TcpListener::TcpListener(Loop& loop, Callbacks callbacks)
    : impl_(new Impl{loop, std::move(callbacks)}) {
  ASSERT(loop.is_owner());
  ASSERT(impl_->callbacks.on_accept != nullptr);
}

TcpListener::~TcpListener() {
  ASSERT(impl_->loop.is_owner());
  impl_->closed = true;
  impl_->retry.reset();
  if (!impl_->polling_made) {
    delete impl_;
    return;
  }
  uv_poll_stop(&impl_->handle);
  impl_->fd.reset();
  close_and_delete(impl_->loop, impl_, &impl_->handle);
}

base::Status TcpListener::listen(const HostPort& address, const ListenOptions& options) {
  ASSERT(!impl_->polling_made);
  auto list = resolve_for_bind(address);
  if (!list) return base::fail(list.error());
  base::Error first_error;
  for (const addrinfo* at = list->get(); at != nullptr; at = at->ai_next) {
    auto fd = bind_and_listen(*at, options);
    if (fd) {
      impl_->fd = std::move(*fd);
      break;
    }
    if (at == list->get()) first_error = fd.error();
  }
  if (!impl_->fd) return base::fail(first_error);
  impl_->reserve = reserve_descriptor();
  uv_loop_t* uv = register_handle(impl_->loop);
  ASSERT(uv_poll_init(uv, &impl_->handle, impl_->fd.get()) == 0);
  impl_->handle.data = impl_;
  impl_->polling_made = true;
  impl_->retry.emplace(impl_->loop, [impl = impl_] {
    if (impl->paused) return;
    impl->accept_some();
    // Still without descriptors: exhausted() has started the timer again.
    if (!impl->closed && !impl->paused && !impl->retry->is_active()) impl->start_polling();
  });
  impl_->start_polling();
  return {};
}

HostPort TcpListener::local_address() const { return local_address_of(impl_->fd.get()); }

void TcpListener::pause() noexcept {
  ASSERT(impl_->polling_made);
  impl_->paused = true;
  impl_->retry->cancel();
  uv_poll_stop(&impl_->handle);
}

void TcpListener::resume() noexcept {
  ASSERT(impl_->polling_made);
  impl_->paused = false;
  impl_->retry->cancel();
  impl_->start_polling();
}

std::uint64_t TcpListener::shed_count() const noexcept { return impl_->shed; }

}  // namespace sluice::loop
