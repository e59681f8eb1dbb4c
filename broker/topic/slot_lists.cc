#include "broker/topic/slot_lists.h"

namespace sluice::topic {

std::uint32_t SlotLists::add(std::uint32_t list, model::SubscriptionSlot slot) {
  ASSERT(slot.value() < (kNone & ~kSingle));
  if (list == kNone) return slot.value() | kSingle;
  std::uint32_t name = list;
  if (is_single(list)) {
    name = arrays_.take();
    arrays_[name].push_back(single(list));
    array_bytes_ += bytes(arrays_[name]);
  }
  Array& array = arrays_[name];
  array_bytes_ -= bytes(array);
  const auto at = std::lower_bound(array.begin(), array.end(), slot);
  ASSERT(at == array.end() || *at != slot);
  array.insert(at, slot);
  array_bytes_ += bytes(array);
  return name;
}

std::uint32_t SlotLists::remove(std::uint32_t list, model::SubscriptionSlot slot) {
  ASSERT(list != kNone);
  if (is_single(list)) {
    ASSERT(single(list) == slot);
    return kNone;
  }
  Array& array = arrays_[list];
  const auto at = std::lower_bound(array.begin(), array.end(), slot);
  ASSERT(at != array.end() && *at == slot);
  array.erase(at);
  array_bytes_ -= bytes(array);
  if (array.size() == 1) {
    const std::uint32_t last = array.front().value() | kSingle;
    arrays_.give_back(list);
    return last;
  }
  if (array.size() * 4 < array.capacity()) Array(array).swap(array);
  array_bytes_ += bytes(array);
  return list;
}

}  // namespace sluice::topic
