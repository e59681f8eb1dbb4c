// acceptor.h: which shard gets a new connection?
//
// Accepts for all shards and deals the sockets out in turn.
//
// Owner:    the daemon; borrows loop and shards.
// Thread:   the daemon's main thread.
// Limits:   see loop::TcpListener for what happens without descriptors.
// Errors:   those of TcpListener::listen.
// Tests:    tests/integration

#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "broker/net/shard_loop.h"
#include "libs/loop/tcp_listener.h"

namespace sluice::net {

class Acceptor {
 public:
  /// `on_pause` is told when accepting pauses for want of descriptors.
  Acceptor(loop::Loop& loop, std::vector<ShardLoop*> shards,
           std::function<void(const base::Error&)> on_pause);

  base::Status listen(const loop::HostPort& address, int backlog);
  loop::HostPort local_address() const { return listener_.local_address(); }
  std::uint64_t shed_count() const { return listener_.shed_count(); }

 private:
  std::vector<ShardLoop*> shards_;
  std::size_t next_ = 0;
  loop::TcpListener listener_;
};

}  // namespace sluice::net
