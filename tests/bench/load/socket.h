// socket.h: the few system calls that the generator and the relay are made of.
//
// Thread:   owner thread only.
// Errors:   a failed call ends the program with one line; a benchmark that limps measures nothing.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <sys/epoll.h>
#include <vector>

#include "libs/base/bytes.h"

namespace sluice::bench {

/// Prints "WHAT: reason of errno" and ends with exit code 1.
[[noreturn]] void die_errno(const std::string& what);
/// Prints `what` and ends with exit code 1.
[[noreturn]] void die(const std::string& what);

/// Monotonic, the same for every process of the machine.
std::uint64_t now_ns() noexcept;

/// A connected socket without delay; read_some and write_some never block. With `receive_bytes` the
/// kernel holds about as many unread ones of it, else as many as it likes.
int connect_to(const std::string& host, std::uint16_t port, int receive_bytes = 0);
/// A listening, non-blocking socket on 127.0.0.1; `port` 0 takes a free one and is filled in.
int listen_on(std::uint16_t& port);
/// The next connection, non-blocking and without delay; -1 when none waits.
int accept_from(int listener);
/// As many descriptors as the system lets us have.
void raise_descriptor_limit();

/// What a read or write came to.
struct Transfer {
  std::size_t bytes = 0;
  bool blocked = false;  // the socket took or had no more
  bool closed = false;   // by the peer, or broken
};
Transfer read_some(int socket, base::MutableByteView room);
Transfer write_some(int socket, base::ByteView bytes);

/// The events of a set of sockets, each with a number of its owner's.
class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void add(int socket, std::uint32_t events, std::uint64_t number);
  /// Requires: it was added.
  void remove(int socket);
  /// Valid until the next call. timeout_ms 0 does not wait, -1 waits for ever.
  std::span<const epoll_event> wait(int timeout_ms);

 private:
  int epoll_;
  std::vector<epoll_event> events_;
};

}  // namespace sluice::bench
