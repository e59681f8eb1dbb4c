#include "broker/config/plan_for.h"

#include <gtest/gtest.h>

#include "broker/flow/memory_budget.h"
#include "broker/queue/bounded_queue.h"

namespace sluice::config {
namespace {

const PlanLine* line(const FittedPlan& plan, std::string_view what) {
  for (const PlanLine& line : plan.lines) {
    if (line.what == what) return &line;
  }
  return nullptr;
}

// Every plan that fits: its lines and all queues full stay within the memory, and the daemon's own
// planner agrees, also about the worst case.
TEST(PlanFor, What_fits_is_true) {
  for (const Size memory : {mib(64), mib(256), gib(2), gib(64)}) {
    for (const std::uint64_t subscriptions : {1, 100, 5000, 100'000}) {
      for (const Size message : {Size{1}, kib(1), kib(64), mib(8)}) {
        for (const std::uint64_t shards : {1, 2, 16}) {
          PlanWish wish;
          wish.memory = memory;
          wish.subscriptions = subscriptions;
          wish.message = message;
          wish.shards = shards;
          const FittedPlan plan = plan_for(wish);
          if (!plan.fits()) continue;
          const auto& subscription = plan.settings.subscription;
          const Size queues = subscriptions * subscription.queue_messages * plan.message_cost;
          EXPECT_LE(plan.sum + queues, memory) << plan.text();
          EXPECT_GE(subscription.queue_bytes,
                    subscription.queue_messages * (message + kQueuedSliceBytes));
          EXPECT_GT(plan.settings.connection.max_frame, message);
          const Plan agreed = make_plan(plan.settings);
          EXPECT_TRUE(agreed.fits()) << agreed.text();
          if (subscriptions < 100) continue;  // it takes a queue for each publisher for granted
          EXPECT_TRUE(agreed.worst_case_fits()) << plan.text() << agreed.text();
        }
      }
    }
  }
}

TEST(PlanFor, The_example_of_the_guide) {
  PlanWish wish;
  wish.memory = gib(2);
  wish.subscriptions = 5000;
  const FittedPlan plan = plan_for(wish);
  ASSERT_TRUE(plan.fits());
  EXPECT_EQ(line(plan, "connections")->arithmetic, "5010 connections x 8KiB");
  EXPECT_EQ(line(plan, "their unsent output")->bytes, mib(256));
  EXPECT_GT(plan.settings.subscription.queue_messages, 100U);
  EXPECT_NE(plan.fragment().find("memory_budget = \"2GiB\"\n"), std::string::npos);
  EXPECT_NE(plan.fragment().find("[subscription]\nqueue_messages = "), std::string::npos);
}

TEST(PlanFor, What_cannot_fit_says_what_would_be_needed) {
  PlanWish wish;
  wish.memory = mib(64);
  wish.subscriptions = 50'000;
  const FittedPlan plan = plan_for(wish);
  EXPECT_FALSE(plan.fits());
  EXPECT_NE(plan.text().find("This cannot fit: a queue takes 4KiB at least."), std::string::npos);
  wish.memory = mib(1);
  wish.subscriptions = 1;
  EXPECT_FALSE(plan_for(wish).fits());
  wish.memory = gib(100);
  wish.message = mib(64);
  EXPECT_NE(plan_for(wish).text().find("no frame may be larger"), std::string::npos);
}

TEST(PlanFor, More_memory_never_means_smaller_queues) {
  PlanWish wish;
  std::uint64_t before = 0;
  for (wish.memory = mib(32); wish.memory <= gib(8); wish.memory *= 2) {
    const FittedPlan plan = plan_for(wish);
    if (!plan.fits()) continue;
    EXPECT_GE(plan.settings.subscription.queue_messages, before) << wish.memory;
    before = plan.settings.subscription.queue_messages;
  }
  EXPECT_GT(before, 0U);
}

TEST(MemoryCosts, Agree_with_what_is_charged) {
  EXPECT_EQ(kQueuedSliceBytes, queue::kSliceOverhead);
  // Squeezing begins where the planner stops.
  const flow::MemoryBudget budget(gib(1), 1);
  EXPECT_GE(budget.high(), gib(1) / 100 * 85 - 1000);
}

}  // namespace
}  // namespace sluice::config
