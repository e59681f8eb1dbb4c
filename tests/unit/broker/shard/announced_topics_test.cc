#include "broker/shard/announced_topics.h"

#include <gtest/gtest.h>

namespace sluice::shard {
namespace {

TEST(AnnouncedTopics, TellsEachTopicOnceAndASlotAgainWhenItIsAnothersNow) {
  AnnouncedTopics announced;
  for (const std::uint32_t slot : {1U, 127U, 128U, 5000U}) {
    EXPECT_TRUE(announced.tell(model::TopicSlot(slot), 0));
    EXPECT_FALSE(announced.tell(model::TopicSlot(slot), 0));
    EXPECT_TRUE(announced.tell(model::TopicSlot(slot), 1));
    EXPECT_FALSE(announced.tell(model::TopicSlot(slot), 1));
  }
  EXPECT_TRUE(announced.tell(model::TopicSlot(2), 0));
}

TEST(AnnouncedTopics, ATopicAmongAMillionCostsLittle) {
  AnnouncedTopics announced;
  announced.tell(model::TopicSlot(1), 0);
  EXPECT_LT(announced.memory_bytes(), 1000U);
  announced.tell(model::TopicSlot(1'000'000), 0);
  EXPECT_LT(announced.memory_bytes(), 70'000U);
}

}  // namespace
}  // namespace sluice::shard
