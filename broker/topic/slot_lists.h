// slot_lists.h: which subscriptions stand at this filter?
//
// A list is named by 32 bits. One slot, the common case, is the name itself and costs nothing more;
// several are a sorted array in a pool.
//
// Owner:    one SubscriptionIndex.
// Thread:   the owner's.
// Limits:   slots are below 2^31 - 1.
// Tests:    tests/unit/broker/topic/slot_lists_test.cc

#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "broker/model/ids.h"
#include "broker/topic/index_table.h"
#include "broker/topic/pool.h"

namespace sluice::topic {

class SlotLists {
 public:
  /// The name of no list is kNone; add() and remove() return the name from now on.
  /// Requires: `slot` is not in the list.
  [[nodiscard]] std::uint32_t add(std::uint32_t list, model::SubscriptionSlot slot);
  /// Requires: `slot` is in the list.
  [[nodiscard]] std::uint32_t remove(std::uint32_t list, model::SubscriptionSlot slot);

  std::size_t size(std::uint32_t list) const noexcept {
    if (list == kNone) return 0;
    return is_single(list) ? 1 : arrays_[list].size();
  }

  /// Appends the slots, ascending.
  void append_to(std::vector<model::SubscriptionSlot>& out, std::uint32_t list) const {
    if (list == kNone) return;
    if (is_single(list)) {
      out.push_back(single(list));
    } else {
      out.insert(out.end(), arrays_[list].begin(), arrays_[list].end());
    }
  }

  std::size_t memory_bytes() const noexcept { return arrays_.memory_bytes() + array_bytes_; }

 private:
  using Array = std::vector<model::SubscriptionSlot>;
  static constexpr std::uint32_t kSingle = 1U << 31;

  static bool is_single(std::uint32_t list) noexcept { return (list & kSingle) != 0; }
  static model::SubscriptionSlot single(std::uint32_t list) noexcept {
    return model::SubscriptionSlot(list & ~kSingle);
  }
  static std::size_t bytes(const Array& array) noexcept {
    return array.capacity() * sizeof(model::SubscriptionSlot);
  }

  Pool<Array> arrays_;
  std::size_t array_bytes_ = 0;
};

}  // namespace sluice::topic
