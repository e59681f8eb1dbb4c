#include "broker/net/acceptor.h"

#include <utility>

namespace sluice::net {

Acceptor::Acceptor(loop::Loop& loop, std::vector<ShardLoop*> shards,
                   std::function<void(const base::Error&)> on_pause)
    : shards_(std::move(shards)),
      listener_(loop, {.on_accept =
                           [this](loop::OwnedFd socket) {
                             shards_[next_]->adopt(std::move(socket));
                             next_ = (next_ + 1) % shards_.size();
                           },
                       .on_accept_error = std::move(on_pause)}) {}

base::Status Acceptor::listen(const loop::HostPort& address, int backlog) {
  return listener_.listen(address, {.backlog = backlog, .reuse_port = false});
}

}  // namespace sluice::net
