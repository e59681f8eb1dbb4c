// link.h: one client's socket, as a shard sees it.
//
// Owner:    the shell (broker/net, or a test). The shard borrows it from Shard::open() until it
//           calls close() or the shell calls Shard::closed().
// Thread:   the owner shard only.
// Units:    bytes.
// Order:    nothing is called after close(); writes leave in the order made.

#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "libs/base/slab.h"

namespace sluice::port {

class Link {
 public:
  virtual ~Link() = default;

  /// Sends `pieces` in order, as one gathered write. Each piece lies in a slab of `keep_alive` or
  /// in `transient`, which is the caller's again when write() returns. The link takes what it needs
  /// out of `keep_alive`.
  virtual void write(std::span<const base::ByteView> pieces, std::vector<base::SlabRef>& keep_alive,
                     base::ByteView transient) = 0;

  /// Bytes written that the socket has not taken yet. When it falls to 0 after it was not, the
  /// shell calls Shard::writable().
  virtual std::size_t unsent_bytes() const = 0;

  /// Stops or resumes reading from the peer.
  virtual void set_reading(bool on) = 0;

  /// Ends the connection once what was written has left, or soon after if it does not.
  virtual void close() = 0;
};

}  // namespace sluice::port
