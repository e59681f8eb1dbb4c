#include "broker/flow/memory_budget.h"

#include <gtest/gtest.h>

namespace sluice::flow {
namespace {

constexpr std::uint64_t kMiB = 1U << 20;
constexpr std::uint64_t kLimit = 100 * kMiB;

class MemoryBudgetTest : public ::testing::Test {
 protected:
  // What shard `at` holds, its queues following the ceiling there is now.
  void tell(std::uint16_t at, std::uint64_t held, std::uint64_t largest,
            std::uint64_t subscriptions = 1) {
    budget_.tell(model::ShardId(at), {.held = held,
                                      .largest_queue = largest,
                                      .subscriptions = subscriptions,
                                      .ceiling = budget_.ceiling()});
  }
  void adjust() {
    now_ += std::chrono::milliseconds(60);
    budget_.adjust(now_);
  }

  MemoryBudget budget_{kLimit, 2};
  base::MonotonicTime now_;
};

TEST_F(MemoryBudgetTest, Use_is_the_sum_over_shards_and_their_blocks) {
  tell(0, 10, 0);
  tell(1, 20, 0);
  EXPECT_EQ(budget_.used(), 30U);
  const base::SlabRef block = base::SlabRef::make(1000, &budget_.account(model::ShardId(1)));
  EXPECT_EQ(budget_.used(), 30 + base::Slab::footprint(1000));
  EXPECT_EQ(budget_.used_by_others(model::ShardId(1)), 10U);
}

TEST_F(MemoryBudgetTest, Pressure_rises_from_half_to_where_publishes_are_refused) {
  EXPECT_EQ(budget_.pressure(kLimit / 2), 0);
  EXPECT_GT(budget_.pressure(kLimit * 3 / 4), 100);
  EXPECT_LT(budget_.pressure(kLimit * 3 / 4), 155);
  EXPECT_LT(budget_.pressure(budget_.publish_limit() - kMiB), 255);
  EXPECT_EQ(budget_.pressure(budget_.publish_limit()), 255);
  EXPECT_EQ(budget_.pressure(kLimit * 2), 255);
}

TEST_F(MemoryBudgetTest, The_ceiling_comes_below_the_largest_queue_and_no_further) {
  tell(0, 86 * kMiB, 40 * kMiB);
  tell(1, 0, 20 * kMiB);
  adjust();
  EXPECT_EQ(budget_.ceiling(), 30 * kMiB);
}

TEST_F(MemoryBudgetTest, Nothing_moves_while_use_is_between_the_watermarks) {
  tell(0, 80 * kMiB, 40 * kMiB);
  adjust();
  EXPECT_EQ(budget_.ceiling(), kNoCeiling);
  tell(0, 86 * kMiB, 40 * kMiB);
  adjust();
  tell(1, 0, 0);
  tell(0, 75 * kMiB, 30 * kMiB);
  adjust();
  EXPECT_EQ(budget_.ceiling(), 30 * kMiB);
}

TEST_F(MemoryBudgetTest, It_waits_until_every_shard_has_followed) {
  tell(0, 86 * kMiB, 40 * kMiB);
  adjust();
  tell(0, 86 * kMiB, 30 * kMiB);
  adjust();  // shard 1 has not told that it followed
  EXPECT_EQ(budget_.ceiling(), 30 * kMiB);
  tell(1, 0, 0);
  adjust();
  EXPECT_EQ(budget_.ceiling(), 30 * kMiB * 3 / 4);
}

TEST_F(MemoryBudgetTest, It_waits_a_little_between_two_steps) {
  tell(0, 86 * kMiB, 40 * kMiB);
  adjust();
  tell(0, 86 * kMiB, 30 * kMiB);
  tell(1, 0, 0);
  budget_.adjust(now_ + MemoryBudget::kLowerEvery - base::Duration(1));
  EXPECT_EQ(budget_.ceiling(), 30 * kMiB);
  budget_.adjust(now_ + MemoryBudget::kLowerEvery);
  EXPECT_LT(budget_.ceiling(), 30 * kMiB);
}

TEST_F(MemoryBudgetTest, Nobody_is_squeezed_below_an_even_share_of_half_the_budget) {
  tell(0, 99 * kMiB, 6 * kMiB, 9);
  adjust();
  EXPECT_EQ(budget_.ceiling(), kLimit / 2 / 10);
  tell(0, 99 * kMiB, kLimit / 2 / 10, 9);
  tell(1, 0, 0, 0);
  adjust();
  EXPECT_EQ(budget_.ceiling(), kLimit / 2 / 10);
}

TEST_F(MemoryBudgetTest, Where_no_queue_can_give_way_there_is_no_ceiling) {
  tell(0, 99 * kMiB, 0);
  adjust();
  EXPECT_EQ(budget_.ceiling(), kNoCeiling);
}

TEST_F(MemoryBudgetTest, The_ceiling_goes_up_again_until_it_is_gone) {
  tell(0, 86 * kMiB, 40 * kMiB);
  adjust();
  std::uint64_t before = budget_.ceiling();
  for (int steps = 0; budget_.ceiling() != kNoCeiling; ++steps) {
    ASSERT_LT(steps, 100);
    tell(0, 60 * kMiB, 10 * kMiB);
    tell(1, 0, 0);
    adjust();
    EXPECT_GT(budget_.ceiling(), before);
    before = budget_.ceiling();
  }
}

TEST(ShardMemory, Without_a_budget_nothing_is_refused) {
  const ShardMemory memory(nullptr, model::ShardId(0));
  EXPECT_FALSE(memory.refuses_publishes());
  EXPECT_FALSE(memory.is_full());
  EXPECT_EQ(memory.pressure(), 0);
}

TEST(ShardMemory, Its_own_blocks_count_at_once_and_those_of_others_with_the_turn) {
  MemoryBudget budget(kLimit, 2);
  ShardMemory memory(&budget, model::ShardId(0));
  memory.tell({.held = kMiB});
  std::vector<base::SlabRef> blocks;
  const auto take = [&](std::uint16_t shard, std::size_t bytes) {
    blocks.push_back(base::SlabRef::make(bytes, &budget.account(model::ShardId(shard))));
  };
  take(1, 97 * kMiB);
  EXPECT_FALSE(memory.refuses_publishes());
  memory.tell({.held = kMiB});
  EXPECT_TRUE(memory.refuses_publishes());
  EXPECT_FALSE(memory.is_full());
  EXPECT_EQ(memory.pressure(), 255);
  take(0, 3 * kMiB);
  EXPECT_TRUE(memory.is_full());
  blocks.clear();
  memory.tell({});
  EXPECT_FALSE(memory.refuses_publishes());
}

TEST(ShardMemory, QueuesThatGrowMuchWithinATurnAreToldAtOnce) {
  MemoryBudget budget(kLimit, 2);
  ShardMemory memory(&budget, model::ShardId(0));
  ShardMemory other(&budget, model::ShardId(1));
  memory.queues_moved(0, 1000);
  memory.tell({.held = 5000});
  EXPECT_EQ(budget.used(), 5000U);
  memory.queues_moved(1000, 2000);
  EXPECT_EQ(memory.used(), 6000U);
  EXPECT_EQ(budget.used(), 5000U);
  other.tell({.held = 50 * kMiB});
  memory.queues_moved(2000, 1000 + 60 * kMiB);
  EXPECT_EQ(budget.used(), 5000 + 110 * kMiB);
  EXPECT_TRUE(memory.is_full());
  EXPECT_FALSE(memory.is_exceeded());
  memory.queues_moved(1000 + 60 * kMiB, 1000 + 63 * kMiB);
  EXPECT_TRUE(memory.is_exceeded());
  memory.queues_moved(1000 + 63 * kMiB, 0);
  EXPECT_EQ(budget.used(), 4000 + 50 * kMiB);
  EXPECT_FALSE(memory.is_full());
}

}  // namespace
}  // namespace sluice::flow
