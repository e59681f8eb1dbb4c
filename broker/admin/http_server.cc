#include "broker/admin/http_server.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "broker/admin/connection_stream.h"
#include "broker/admin/routes.h"
#include "libs/base/assert.h"

namespace sluice::admin {
namespace {

using base::ErrorCode;

constexpr int kBacklog = 64;
constexpr int kAcceptPauseMs = 50;
constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 29\r\n"
    "Retry-After: 1\r\nConnection: close\r\n\r\n503: too many open requests.\n";

tl::unexpected<base::Error> system_error(const std::string& what) {
  const int error = errno;
  const ErrorCode code = error == EADDRINUSE                  ? ErrorCode::kAddressInUse
                         : error == EMFILE || error == ENFILE ? ErrorCode::kResourceExhausted
                                                              : ErrorCode::kIo;
  return base::fail(code, what + ": " + std::strerror(error));
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

std::optional<SocketAddress> socket_address(const std::string& host, std::uint16_t port) {
  SocketAddress address;
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (inet_pton(AF_INET, host.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&address.storage, &four, sizeof four);
    address.size = sizeof four;
  } else if (inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    std::memcpy(&address.storage, &six, sizeof six);
    address.size = sizeof six;
  } else {
    return std::nullopt;
  }
  return address;
}

std::uint16_t port_of(int socket) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (getsockname(socket, address.get(), &address.size) != 0) return 0;
  // The port stands at the same place in both families.
  sockaddr_in four{};
  std::memcpy(&four, &address.storage, sizeof four);
  return ntohs(four.sin_port);
}

/// A socket that listens and does not block.
base::Result<int> listen_on(const std::string& host, std::uint16_t port) {
  auto address = socket_address(host == "localhost" ? "127.0.0.1" : host, port);
  if (!address) return base::fail(ErrorCode::kBadArgument, "\"" + host + "\" is no IP address");
  const std::string where = "HTTP on " + host + " port " + std::to_string(port);
  const int socket =
      ::socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return system_error(where);
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(socket, address->get(), address->size) != 0 || listen(socket, kBacklog) != 0) {
    auto error = system_error(where);
    close(socket);
    return error;
  }
  return socket;
}

}  // namespace

struct HttpServer::Impl {
  Impl(const Options& options_, Sources sources, const base::Clock& clock_)
      : options(options_), clock(clock_), routes(std::move(sources)) {}

  ~Impl() {
    if (listener >= 0) close(listener);
  }

  void start_threads() {
    acceptor = std::thread([this] { accept_loop(); });
    for (std::uint32_t i = 0; i < options.threads; ++i) {
      workers.emplace_back([this] { work_loop(); });
    }
  }

  void accept_loop() {
    while (!stop.raised()) {
      std::array<pollfd, 2> watched = {{{listener, POLLIN, 0}, {stop.descriptor(), POLLIN, 0}}};
      poll(watched.data(), watched.size(), -1);
      if (stop.raised()) return;
      const int socket = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket >= 0) {
        hand_over(socket);
      } else if (errno != EINTR && errno != EAGAIN && errno != ECONNABORTED) {
        // Out of descriptors or memory: the connection waits in the kernel; look again shortly.
        poll(&watched[1], 1, kAcceptPauseMs);
      }
    }
  }

  void hand_over(int socket) {
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    {
      const std::lock_guard lock(mutex);
      if (waiting.size() < options.waiting_max) {
        waiting.push_back(socket);
        changed.notify_one();
        return;
      }
    }
    // One attempt: its send buffer is empty, and nobody waits for a peer that does not read.
    (void)send(socket, kBusy.data(), kBusy.size(), MSG_NOSIGNAL);
    close(socket);
  }

  void work_loop() {
    while (true) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return !waiting.empty() || ending; });
      if (waiting.empty()) return;
      const int socket = waiting.front();
      waiting.pop_front();
      lock.unlock();
      serve(socket);
    }
  }

  void serve(int socket) {
    ConnectionStream stream(socket, clock, stop);
    for (std::uint32_t n = 1; n <= options.requests_max; ++n) {
      if (!stream.await_request(options.idle_timeout)) return;
      stream.begin_request(options.request_timeout);
      if (!routes.serve(stream, n == options.requests_max || stop.raised())) return;
    }
  }

  const Options options;
  const base::Clock& clock;
  Routes routes;
  StopSignal stop;
  int listener = -1;
  std::uint16_t port = 0;

  std::mutex mutex;  // guards the next three
  std::condition_variable changed;
  std::deque<int> waiting;  // accepted sockets without a worker
  bool ending = false;      // no more will come

  std::thread acceptor;
  std::vector<std::thread> workers;
};

base::Result<std::unique_ptr<HttpServer>> HttpServer::start(const Options& options, Sources sources,
                                                            const base::Clock& clock) {
  ASSERT(options.threads > 0);
  ASSERT(sources.metrics && sources.readiness && sources.status_json);
  auto impl = std::make_unique<Impl>(options, std::move(sources), clock);
  if (!impl->stop.ok()) return system_error("HTTP");
  const auto listener = listen_on(options.host, options.port);
  if (!listener) return base::fail(listener.error());
  impl->listener = *listener;
  impl->port = port_of(*listener);
  impl->start_threads();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { stop(base::Duration(0)); }

std::uint16_t HttpServer::port() const noexcept { return impl_->port; }

void HttpServer::stop(base::Duration grace) {
  if (!impl_->acceptor.joinable()) return;
  impl_->stop.raise(impl_->clock.now() + grace);
  impl_->acceptor.join();
  // Whoever is still in the kernel's queue is reset rather than left without an answer.
  close(std::exchange(impl_->listener, -1));
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->ending = true;
  }
  impl_->changed.notify_all();
  for (std::thread& worker : impl_->workers) worker.join();
}

}  // namespace sluice::admin
