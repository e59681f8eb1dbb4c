// connection_stream.h: how long, and how much, may an HTTP peer take?
//
// The stream that the HTTP library reads requests from and writes answers to. Its one deadline
// covers the whole request, so that a peer which sends a byte now and then gains nothing, and its
// byte bound covers head and body together.
//
// Owner:    one worker, for the life of a connection; owns the socket.
// Thread:   its worker. StopSignal: any.
// Units:    bytes.
// Limits:   kRequestBytesMax per request.
// Tests:    tests/integration/admin/http_server_test.cc

#pragma once

#include <array>
#include <atomic>
#include <httplib.h>
#include <string>

#include "libs/base/clock.h"

namespace sluice::admin {

inline constexpr std::size_t kRequestBytesMax = 64U << 10;

/// Tells all streams that the server ends, waking those that wait.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// False when the system had no descriptor for it.
  bool ok() const noexcept { return descriptor_ >= 0; }
  /// Nothing may take longer than until `deadline` from now on.
  void raise(base::MonotonicTime deadline) noexcept;
  bool raised() const noexcept { return raised_.load(std::memory_order_acquire); }
  base::MonotonicTime deadline() const noexcept {
    return base::MonotonicTime(base::Duration(deadline_ns_.load(std::memory_order_acquire)));
  }
  /// Readable once raised, and for ever after.
  int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
  std::atomic<bool> raised_{false};
  std::atomic<std::int64_t> deadline_ns_{base::kNever.time_since_epoch().count()};
};

class ConnectionStream final : public httplib::Stream {
 public:
  /// Takes the socket, which does not block. Borrows clock and signal.
  ConnectionStream(int socket, const base::Clock& clock, const StopSignal& stop)
      : socket_(socket), clock_(clock), stop_(stop) {}
  ~ConnectionStream() override;

  /// Waits for the first byte of a request. False: none came in time, or the server ends.
  bool await_request(base::Duration idle_timeout);
  /// From now on reading and writing fail after `timeout`, or when the server has ended.
  void begin_request(base::Duration timeout);

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* to, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  /// Reads into the empty buffer: the bytes got, 0 at the end, -1 when it failed.
  ssize_t fill();
  /// Waits until the socket is ready for `events` or `until` has passed.
  bool wait(short events, base::MonotonicTime until, bool end_on_stop) const;

  int socket_;
  const base::Clock& clock_;
  const StopSignal& stop_;
  base::MonotonicTime deadline_{};
  std::size_t bytes_left_ = 0;
  // The library reads heads byte by byte.
  std::array<char, 4096> buffer_;
  std::size_t buffer_at_ = 0;
  std::size_t buffer_end_ = 0;
};

}  // namespace sluice::admin
