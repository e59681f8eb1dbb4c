// spill_store.h: where do queues put what they have no room for, and how do they get it back?
//
// Batches, each under a handle of its own. What is spilled is an overflow of memory and no more
// durable than memory: it need not outlive the process, and whatever the store loses of it is told
// to the subscriber as a gap. Nothing here waits: what is not at hand is said to come later.
//
// Owner:    the shell; a shard borrows one for life, which no other shard uses.
// Thread:   the shard's.
// Limits:   the store's own; where it is full or not well it refuses, and the ladder goes on.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "libs/base/slab.h"

namespace sluice::port {

class SpillStore {
 public:
  using Handle = std::uint64_t;
  static constexpr Handle kNone = 0;

  enum class Fetch : std::uint8_t {
    kReady,  // the batch is given, and its handle is no more
    kLater,  // asked for; take_arrived() will name the tag
    kLost    // it cannot be had any more, and its handle is no more
  };

  virtual ~SpillStore() = default;

  /// Keeps a batch. kNone: refused, nothing was kept.
  virtual Handle put(const base::SharedBytes& batch) = 0;
  /// Gives a batch back. `tag` names who asks; asking again before it has come changes nothing.
  virtual Fetch fetch(Handle handle, std::uint64_t tag, base::SharedBytes& batch) = 0;
  /// It is not wanted any more.
  virtual void drop(Handle handle) = 0;
  /// Tags of those whose batch has come, or is lost, since the last call.
  virtual std::vector<std::uint64_t> take_arrived() = 0;
  /// Whether what it keeps takes up memory of the process as much as what is queued.
  virtual bool in_memory() const = 0;
  /// Heap in bytes for bookkeeping, beyond the batches.
  virtual std::size_t memory_bytes() const = 0;
};

}  // namespace sluice::port
