// tcp_listener.h: who takes new connections, and what happens when no more fit?
//
// Delivers descriptors rather than streams, so that one loop may accept for several.
//
// Owner:    the loop's thread; borrows the loop.
// Thread:   the loop's owner thread. (asserted)
// Limits:   kAcceptsPerTurn connections are accepted per turn. Without descriptors or memory
//           accepting pauses and tries again every kRetryAfter; what is pending then, up to
//           kShedPerRetry, is accepted on a reserved descriptor and closed, so that a client is
//           refused rather than left waiting.
// Errors:   kAddressInUse, kBadArgument (the host cannot be resolved), kIo.
// Tests:    tests/unit/libs/loop/tcp_listener_test.cc

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "libs/base/result.h"
#include "libs/loop/address.h"
#include "libs/loop/loop.h"
#include "libs/loop/owned_fd.h"

namespace sluice::loop {

struct ListenOptions {
  int backlog = 1024;
  bool reuse_port = false;  ///< several listeners may bind the same address
};

class TcpListener {
 public:
  static constexpr int kAcceptsPerTurn = 64;
  static constexpr int kShedPerRetry = 16;
  static constexpr std::chrono::milliseconds kRetryAfter{100};

  struct Callbacks {
    /// A connected, non-blocking socket: for TcpStream on this or another loop.
    std::function<void(OwnedFd)> on_accept;
    /// Accepting has paused (kResourceExhausted); called once per pause. May be empty.
    std::function<void(const base::Error&)> on_accept_error;
  };

  TcpListener(Loop& loop, Callbacks callbacks);
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;
  /// Stops listening. Allowed inside a callback.
  ~TcpListener();

  /// Binds and listens. The host is resolved here and now, which may block; an empty host is every
  /// address of the machine; port 0 lets the system choose. Requires: not listening yet.
  base::Status listen(const HostPort& address, const ListenOptions& options = {});

  /// What is bound, with the port the system chose.
  HostPort local_address() const;

  /// New connections wait in the backlog until resume().
  void pause() noexcept;
  void resume() noexcept;
  /// Connections that were accepted only to be closed, for want of descriptors.
  std::uint64_t shed_count() const noexcept;

 private:
  struct Impl;
  Impl* impl_;  // deletes itself once libuv has let go of it
};

}  // namespace sluice::loop
