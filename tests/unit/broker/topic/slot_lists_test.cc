#include "broker/topic/slot_lists.h"

#include <gtest/gtest.h>

namespace sluice::topic {
namespace {

using Slots = std::vector<model::SubscriptionSlot>;

Slots slots_of(const SlotLists& lists, std::uint32_t list) {
  Slots out;
  lists.append_to(out, list);
  return out;
}

model::SubscriptionSlot slot(std::uint32_t value) { return model::SubscriptionSlot(value); }

TEST(SlotLists, OneSlotCostsNoMemory) {
  SlotLists lists;
  const std::size_t empty = lists.memory_bytes();
  const std::uint32_t list = lists.add(kNone, slot(0));
  EXPECT_EQ(slots_of(lists, list), Slots{slot(0)});
  EXPECT_EQ(lists.size(list), 1U);
  EXPECT_EQ(lists.memory_bytes(), empty);
  EXPECT_EQ(lists.remove(list, slot(0)), kNone);
}

TEST(SlotLists, SeveralAreKeptAscendingAndShrinkAgain) {
  SlotLists lists;
  std::uint32_t list = kNone;
  for (const std::uint32_t value : {5U, 1U, 9U, 3U}) list = lists.add(list, slot(value));
  EXPECT_EQ(slots_of(lists, list), (Slots{slot(1), slot(3), slot(5), slot(9)}));
  list = lists.remove(list, slot(5));
  list = lists.remove(list, slot(1));
  EXPECT_EQ(slots_of(lists, list), (Slots{slot(3), slot(9)}));
  list = lists.remove(list, slot(9));
  EXPECT_EQ(slots_of(lists, list), Slots{slot(3)});
  EXPECT_EQ(lists.remove(list, slot(3)), kNone);
  EXPECT_EQ(lists.size(kNone), 0U);
}

TEST(SlotLists, LongListsGiveTheirMemoryBack) {
  SlotLists lists;
  std::uint32_t list = kNone;
  for (std::uint32_t i = 0; i < 10'000; ++i) list = lists.add(list, slot(i));
  const std::size_t full = lists.memory_bytes();
  for (std::uint32_t i = 0; i < 9'990; ++i) list = lists.remove(list, slot(i));
  EXPECT_EQ(lists.size(list), 10U);
  EXPECT_LT(lists.memory_bytes() + 30'000, full);
}

}  // namespace
}  // namespace sluice::topic
