// manual_spill_store.h: a spill store that is full, late or forgetful as long as a test says so.
//
// Owner:    a test.
// Thread:   one.

#pragma once

#include <map>
#include <utility>
#include <vector>

#include "broker/port/spill_store.h"

namespace sluice::queue::testing {

class ManualSpillStore final : public port::SpillStore {
 public:
  bool full = false;
  bool late = false;
  bool lost = false;
  bool memory = true;

  Handle put(const base::SharedBytes& batch) override {
    if (full) return kNone;
    kept_.emplace(++last_, batch);
    return last_;
  }
  Fetch fetch(Handle handle, std::uint64_t /*tag*/, base::SharedBytes& batch) override {
    if (late) return Fetch::kLater;
    auto node = kept_.extract(handle);
    if (lost || node.empty()) return Fetch::kLost;
    batch = std::move(node.mapped());
    return Fetch::kReady;
  }
  void drop(Handle handle) override { kept_.erase(handle); }
  std::vector<std::uint64_t> take_arrived() override { return {}; }
  bool in_memory() const override { return memory; }
  std::size_t memory_bytes() const override { return 0; }
  std::size_t kept() const { return kept_.size(); }

 private:
  std::map<Handle, base::SharedBytes> kept_;
  Handle last_ = kNone;
};

}  // namespace sluice::queue::testing
