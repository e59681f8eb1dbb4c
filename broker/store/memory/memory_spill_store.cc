#include "broker/store/memory/memory_spill_store.h"

#include <utility>

namespace sluice::store {

namespace {

constexpr std::size_t kNodeBytes = 48;  // of the map, malloc's share included

}  // namespace

MemorySpillStore::Handle MemorySpillStore::put(const base::SharedBytes& batch) {
  batches_.emplace(++last_, batch);
  return last_;
}

MemorySpillStore::Fetch MemorySpillStore::fetch(Handle handle, std::uint64_t /*tag*/,
                                                base::SharedBytes& batch) {
  auto node = batches_.extract(handle);
  if (node.empty()) return Fetch::kLost;
  batch = std::move(node.mapped());
  return Fetch::kReady;
}

std::size_t MemorySpillStore::memory_bytes() const {
  return sizeof(*this) + batches_.size() * kNodeBytes + batches_.bucket_count() * sizeof(void*);
}

}  // namespace sluice::store
