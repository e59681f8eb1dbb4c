#include "broker/admin/connection_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::admin {

StopSignal::StopSignal() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

StopSignal::~StopSignal() {
  if (descriptor_ >= 0) close(descriptor_);
}

void StopSignal::raise(base::MonotonicTime deadline) noexcept {
  deadline_ns_.store(deadline.time_since_epoch().count(), std::memory_order_release);
  raised_.store(true, std::memory_order_release);
  // Nobody reads it, so it stays readable; a second write changes nothing.
  (void)eventfd_write(descriptor_, 1);
}

ConnectionStream::~ConnectionStream() {
  shutdown(socket_, SHUT_RDWR);
  close(socket_);
}

bool ConnectionStream::wait(short events, base::MonotonicTime until, bool end_on_stop) const {
  while (true) {
    const bool stopping = stop_.raised();
    const base::MonotonicTime limit = stopping ? std::min(until, stop_.deadline()) : until;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit - clock_.now());
    const bool over = left.count() <= 0 || (stopping && end_on_stop);
    std::array<pollfd, 2> watched = {{{socket_, events, 0}, {stop_.descriptor(), POLLIN, 0}}};
    // Once the signal is raised its descriptor is always ready and would only make us spin.
    const int ready =
        poll(watched.data(), stopping ? 1 : 2,
             over ? 0 : static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready > 0 && watched[0].revents != 0) return true;
    if (over) return false;
  }
}

bool ConnectionStream::await_request(base::Duration idle_timeout) {
  if (buffer_at_ < buffer_end_) return true;  // it came together with the one before
  return wait(POLLIN, clock_.now() + idle_timeout, true);
}

void ConnectionStream::begin_request(base::Duration timeout) {
  deadline_ = clock_.now() + timeout;
  bytes_left_ = kRequestBytesMax;
}

bool ConnectionStream::is_readable() const {
  return buffer_at_ < buffer_end_ || wait(POLLIN, deadline_, false);
}

bool ConnectionStream::is_writable() const { return wait(POLLOUT, deadline_, false); }

ssize_t ConnectionStream::read(char* to, std::size_t size) {
  if (bytes_left_ == 0) return -1;
  if (buffer_at_ == buffer_end_) {
    if (const ssize_t got = fill(); got <= 0) return got;
  }
  size = std::min({size, bytes_left_, buffer_end_ - buffer_at_});
  std::memcpy(to, buffer_.data() + buffer_at_, size);
  buffer_at_ += size;
  bytes_left_ -= size;
  return static_cast<ssize_t>(size);
}

ssize_t ConnectionStream::fill() {
  while (wait(POLLIN, deadline_, false)) {
    const ssize_t got = recv(socket_, buffer_.data(), buffer_.size(), 0);
    if (got >= 0) {
      buffer_at_ = 0;
      buffer_end_ = static_cast<std::size_t>(got);
      return got;
    }
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return -1;
}

ssize_t ConnectionStream::write(const char* from, std::size_t size) {
  while (wait(POLLOUT, deadline_, false)) {
    const ssize_t put = send(socket_, from, size, MSG_NOSIGNAL);
    if (put >= 0) return put;
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return -1;
}

// Nothing that we answer depends on the addresses, so they are not looked up.
void ConnectionStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void ConnectionStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace sluice::admin
