// memory_spill_store.h: a spill store that keeps its batches in memory.
//
// It refuses nothing, has everything at hand and loses nothing. What it keeps counts in the memory
// budget, as slabs do wherever they are held.
//
// Owner:    the shell, one for each shard.
// Thread:   the shard's.
// Tests:    tests/unit/broker/store/memory/memory_spill_store_test.cc

#pragma once

#include <unordered_map>
#include <vector>

#include "broker/port/spill_store.h"

namespace sluice::store {

class MemorySpillStore final : public port::SpillStore {
 public:
  Handle put(const base::SharedBytes& batch) override;
  Fetch fetch(Handle handle, std::uint64_t tag, base::SharedBytes& batch) override;
  void drop(Handle handle) override { batches_.erase(handle); }
  std::vector<std::uint64_t> take_arrived() override { return {}; }
  bool in_memory() const override { return true; }
  std::size_t memory_bytes() const override;

 private:
  std::unordered_map<Handle, base::SharedBytes> batches_;
  Handle last_ = kNone;
};

}  // namespace sluice::store
