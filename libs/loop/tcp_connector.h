// tcp_connector.h: how does a name and a port become a connected socket, without blocking?
//
// Resolves on libuv's worker threads, then tries each address in the resolver's order until one
// answers. One attempt at a time; a Timer beside it bounds how long it may take.
//
// Owner:    the loop's thread; borrows the loop.
// Thread:   the loop's owner thread. (asserted)
// Errors:   to the callback: kConnectFailed, with the reason of the last address tried.
// Tests:    tests/unit/libs/loop/tcp_connector_test.cc

#pragma once

#include <functional>

#include "libs/base/result.h"
#include "libs/loop/address.h"
#include "libs/loop/loop.h"
#include "libs/loop/owned_fd.h"

namespace sluice::loop {

class TcpConnector {
 public:
  using Callback = std::function<void(base::Result<OwnedFd>)>;

  explicit TcpConnector(Loop& loop);
  TcpConnector(const TcpConnector&) = delete;
  TcpConnector& operator=(const TcpConnector&) = delete;
  /// Cancels. Allowed inside the callback.
  ~TcpConnector();

  /// Calls `done` exactly once, later on the loop, unless cancelled first.
  /// Requires: no attempt is under way.
  void connect(const HostPort& address, Callback done);
  /// The attempt is given up and its callback is never called.
  void cancel() noexcept;
  bool is_connecting() const noexcept { return attempt_ != nullptr; }

 private:
  struct Attempt;
  Loop& loop_;
  Attempt* attempt_ = nullptr;  // deletes itself once libuv has let go of it
};

}  // namespace sluice::loop
