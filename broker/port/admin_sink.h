// admin_sink.h: who answers a client's administrative request?
//
// Owner:    the shell; the shard borrows it for life.
// Thread:   called on a shard; the answer comes back through Shard::reply() on that same shard.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "broker/model/ids.h"

namespace sluice::port {

/// Where an answer belongs, and how large it may be.
struct AdminReturn {
  model::ShardId shard;
  model::ConnectionId connection;
  std::uint64_t correlation = 0;
  std::size_t max_bytes = 0;
};

class AdminSink {
 public:
  virtual ~AdminSink() = default;
  /// Must not block. `body` is JSON or empty, as the client sent it.
  virtual void on_request(const AdminReturn& where, std::string verb, std::string body) = 0;
};

}  // namespace sluice::port
