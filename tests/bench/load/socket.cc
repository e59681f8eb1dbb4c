#include "tests/bench/load/socket.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::bench {
namespace {

constexpr std::size_t kEventsPerWait = 1024;

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) die("not an address: " + host);
  return address;
}

void set_no_delay(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Transfer transfer_of(ssize_t result) {
  if (result > 0) return {.bytes = static_cast<std::size_t>(result)};
  if (result < 0 && (errno == EAGAIN || errno == EINTR)) return {.blocked = true};
  return {.closed = true};
}

}  // namespace

void die_errno(const std::string& what) { die(what + ": " + std::strerror(errno)); }

void die(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

std::uint64_t now_ns() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

int connect_to(const std::string& host, std::uint16_t port, int receive_bytes) {
  const sockaddr_in address = address_of(host, port);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) die_errno("socket");
  // Before it connects, since the window it announces is scaled by it.
  if (receive_bytes > 0) {
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  }
  // The kernel's interface takes every kind of address as a sockaddr.
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    die_errno("connect to " + host + ":" + std::to_string(port));
  }
  set_no_delay(socket);
  return socket;
}

int listen_on(std::uint16_t& port) {
  sockaddr_in address = address_of("127.0.0.1", port);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) die_errno("socket");
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, sizeof address) != 0) die_errno("bind");
  if (listen(listener, SOMAXCONN) != 0) die_errno("listen");
  socklen_t size = sizeof address;
  if (getsockname(listener, generic, &size) != 0) die_errno("getsockname");
  port = ntohs(address.sin_port);
  return listener;
}

int accept_from(int listener) {
  const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (socket >= 0) set_no_delay(socket);
  return socket;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Transfer read_some(int socket, base::MutableByteView room) {
  return transfer_of(recv(socket, room.data(), room.size(), MSG_DONTWAIT));
}

Transfer write_some(int socket, base::ByteView bytes) {
  return transfer_of(send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)), events_(kEventsPerWait) {
  if (epoll_ < 0) die_errno("epoll_create1");
}

Poller::~Poller() { close(epoll_); }

void Poller::add(int socket, std::uint32_t events, std::uint64_t number) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = number;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) die_errno("epoll_ctl");
}

void Poller::remove(int socket) {
  if (epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr) != 0) die_errno("epoll_ctl");
}

std::span<const epoll_event> Poller::wait(int timeout_ms) {
  const int count =
      epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  if (count < 0 && errno != EINTR) die_errno("epoll_wait");
  return {events_.data(), static_cast<std::size_t>(count < 0 ? 0 : count)};
}

}  // namespace sluice::bench
