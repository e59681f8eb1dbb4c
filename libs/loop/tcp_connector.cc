#include "libs/loop/tcp_connector.h"

#include <cerrno>
#include <netdb.h>
#include <string>
#include <sys/socket.h>
#include <utility>

#include "libs/loop/socket.h"
#include "libs/loop/uv_internal.h"

namespace sluice::loop {

using base::ErrorCode;

// Lives from connect() until libuv has let go of both the resolver request and the last poll
// handle; `connector` is null once nobody wants the outcome.
struct TcpConnector::Attempt {
  /// Watches one socket until it is connected; deletes itself when closed.
  struct Poll {
    Attempt* attempt;
    uv_poll_t handle{};
  };

  TcpConnector* connector;
  Loop& loop;
  HostPort address;
  Callback done;
  uv_getaddrinfo_t resolver{};
  bool resolving = false;
  addrinfo* list = nullptr;
  const addrinfo* next = nullptr;
  OwnedFd fd{};
  Poll* poll = nullptr;
  base::Error last_error{ErrorCode::kConnectFailed, "no address"};

  ~Attempt() { uv_freeaddrinfo(list); }

  void resolve();
  void on_resolved(int status, addrinfo* resolved);
  void try_next();
  void watch();
  void on_writable();
  void stop_watching() noexcept;
  void fail_address(int error_number);
  void finish(base::Result<OwnedFd> outcome);
};

void TcpConnector::Attempt::resolve() {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
  const std::string port = std::to_string(address.port);
  const char* host = address.host.empty() ? "localhost" : address.host.c_str();
  resolver.data = this;
  resolving = true;
  const int status = uv_getaddrinfo(
      &loop.impl().uv, &resolver,
      [](uv_getaddrinfo_t* request, int outcome, addrinfo* resolved) noexcept {
        static_cast<Attempt*>(request->data)->on_resolved(outcome, resolved);
      },
      host, port.c_str(), &hints);
  ASSERT(status == 0);  // fails only for want of memory or arguments
}

void TcpConnector::Attempt::on_resolved(int status, addrinfo* resolved) {
  resolving = false;
  list = resolved;
  if (connector == nullptr) {
    delete this;
    return;
  }
  loop.impl().enter();
  if (status != 0) {
    return finish(
        base::fail(uv_error(ErrorCode::kConnectFailed, status, "cannot resolve " + address.host)));
  }
  next = list;
  try_next();
}

void TcpConnector::Attempt::try_next() {
  while (next != nullptr) {
    fd.reset(::socket(next->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) {
      fail_address(errno);
      continue;
    }
    if (::connect(fd.get(), next->ai_addr, next->ai_addrlen) == 0) {
      return finish(std::move(fd));
    }
    if (errno == EINPROGRESS) return watch();
    fail_address(errno);
  }
  finish(base::fail(last_error));
}

void TcpConnector::Attempt::watch() {
  poll = new Poll{this};
  ASSERT(uv_poll_init(register_handle(loop), &poll->handle, fd.get()) == 0);
  poll->handle.data = poll;
  uv_poll_start(&poll->handle, UV_WRITABLE, [](uv_poll_t* polled, int, int) noexcept {
    static_cast<Poll*>(polled->data)->attempt->on_writable();
  });
}

void TcpConnector::Attempt::on_writable() {
  loop.impl().enter();
  int error_number = 0;
  socklen_t length = sizeof error_number;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error_number, &length);
  stop_watching();
  if (error_number == 0) return finish(std::move(fd));
  fail_address(error_number);
  try_next();
}

void TcpConnector::Attempt::stop_watching() noexcept {
  if (poll == nullptr) return;
  uv_poll_stop(&poll->handle);
  Poll* closing = std::exchange(poll, nullptr);
  close_and_delete(loop, closing, &closing->handle);
}

void TcpConnector::Attempt::fail_address(int error_number) {
  const std::string name = to_host_port(next->ai_addr, next->ai_addrlen).text();
  last_error = errno_error(ErrorCode::kConnectFailed, error_number, name);
  fd.reset();
  next = next->ai_next;
}

void TcpConnector::Attempt::finish(base::Result<OwnedFd> outcome) {
  connector->attempt_ = nullptr;
  const Callback callback = std::move(done);
  delete this;
  callback(std::move(outcome));
}

TcpConnector::TcpConnector(Loop& loop) : loop_(loop) {}

TcpConnector::~TcpConnector() { cancel(); }

void TcpConnector::connect(const HostPort& address, Callback done) {
  ASSERT(loop_.is_owner());
  ASSERT(attempt_ == nullptr);
  attempt_ = new Attempt{this, loop_, address, std::move(done)};
  attempt_->resolve();
}

void TcpConnector::cancel() noexcept {
  if (attempt_ == nullptr) return;
  ASSERT(loop_.is_owner());
  Attempt* attempt = std::exchange(attempt_, nullptr);
  attempt->connector = nullptr;
  if (attempt->resolving) {
    uv_cancel(reinterpret_cast<uv_req_t*>(&attempt->resolver));  // its callback deletes it
    return;
  }
  attempt->stop_watching();
  delete attempt;
}

}  // namespace sluice::loop
