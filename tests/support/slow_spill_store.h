// slow_spill_store.h: a spill store as a bad disk: late, full now and then, and forgetful.
//
// Owner:    a test or the simulator, one for each shard.
// Thread:   one.

#pragma once

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "broker/port/spill_store.h"
#include "libs/base/random.h"

namespace sluice::testing {

struct SpillFaults {
  std::uint32_t late_percent = 50;     // reads that take a while
  std::uint32_t refused_percent = 10;  // writes
  std::uint32_t lost_percent = 3;      // batches
};

class SlowSpillStore final : public port::SpillStore {
 public:
  /// `wake` is called when something is to come, so that its shard gets another turn.
  SlowSpillStore(std::uint64_t seed, const SpillFaults& faults, std::function<void()> wake)
      : random_(seed), faults_(faults), wake_(std::move(wake)) {}

  Handle put(const base::SharedBytes& batch) override {
    if (chance(faults_.refused_percent)) return kNone;
    kept_[++last_] = {batch, chance(faults_.late_percent), chance(faults_.lost_percent)};
    return last_;
  }

  Fetch fetch(Handle handle, std::uint64_t tag, base::SharedBytes& batch) override {
    const auto it = kept_.find(handle);
    if (it == kept_.end()) return Fetch::kLost;
    if (it->second.late) {
      if (reading_.emplace(handle, Reading{tag, 1 + random_.below(4)}).second) wake_();
      return Fetch::kLater;
    }
    const bool lost = it->second.lost;
    if (!lost) batch = std::move(it->second.batch);
    kept_.erase(it);
    return lost ? Fetch::kLost : Fetch::kReady;
  }

  void drop(Handle handle) override {
    kept_.erase(handle);
    reading_.erase(handle);
  }

  std::vector<std::uint64_t> take_arrived() override {
    std::vector<std::uint64_t> tags;
    for (auto it = reading_.begin(); it != reading_.end();) {
      if (--it->second.turns > 0) {
        ++it;
        continue;
      }
      tags.push_back(it->second.tag);
      kept_.at(it->first).late = false;
      it = reading_.erase(it);
    }
    if (!reading_.empty()) wake_();
    return tags;
  }

  bool in_memory() const override { return false; }
  std::size_t memory_bytes() const override { return 0; }
  std::size_t kept() const { return kept_.size(); }

 private:
  struct Kept {
    base::SharedBytes batch;
    bool late = false;
    bool lost = false;
  };
  struct Reading {
    std::uint64_t tag = 0;
    std::uint64_t turns = 0;  // until it is there
  };

  bool chance(std::uint32_t percent) { return random_.below(100) < percent; }

  base::Random random_;
  SpillFaults faults_;
  std::function<void()> wake_;
  std::map<Handle, Kept> kept_;
  std::map<Handle, Reading> reading_;
  Handle last_ = kNone;
};

}  // namespace sluice::testing
