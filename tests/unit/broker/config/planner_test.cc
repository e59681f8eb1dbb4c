#include "broker/config/planner.h"

#include <gtest/gtest.h>
#include <numeric>

namespace sluice::config {
namespace {

Settings settings_with_shards(std::uint64_t shards) {
  Settings settings;
  settings.node.shards = shards;
  return settings;
}

Size sum_of(const std::vector<PlanLine>& lines) {
  return std::accumulate(lines.begin(), lines.end(), Size{0},
                         [](Size sum, const PlanLine& line) { return sum + line.bytes; });
}

TEST(Planner, Defaults_fit_with_every_automatic_number_of_shards) {
  for (std::uint64_t shards = 1; shards <= 16; ++shards) {
    EXPECT_TRUE(make_plan(settings_with_shards(shards)).fits()) << shards;
  }
}

TEST(Planner, Lines_add_up_to_the_sums) {
  const Plan plan = make_plan(settings_with_shards(2));
  EXPECT_EQ(sum_of(plan.needed), plan.needed_bytes);
  EXPECT_EQ(sum_of(plan.needed) + sum_of(plan.worst_case), plan.worst_case_bytes);
}

TEST(Planner, Mailboxes_are_one_per_ordered_pair) {
  const Plan plan = make_plan(settings_with_shards(3));
  EXPECT_EQ(plan.needed[2].arithmetic, "6 pairs x 4096 entries x 256B");
  EXPECT_EQ(plan.needed[2].bytes, 6U * 4096 * 256);
  EXPECT_EQ(make_plan(settings_with_shards(1)).needed[2].bytes, 0U);
}

TEST(Planner, A_default_queue_above_the_budget_cannot_fit) {
  Settings settings = settings_with_shards(1);
  settings.subscription.queue_bytes = settings.node.memory_budget + 1;
  EXPECT_FALSE(make_plan(settings).fits());
}

TEST(Planner, A_default_spill_counts_with_its_queue) {
  Settings settings = settings_with_shards(1);
  const auto queue = make_plan(settings).needed_bytes;
  settings.subscription.overflow = {"block:1s", "spill:1MiB", "reject"};
  EXPECT_EQ(make_plan(settings).needed_bytes, queue + (1U << 20));
  settings.subscription.overflow = {"spill", "reject"};
  EXPECT_EQ(make_plan(settings).needed_bytes, queue + settings.subscription.spill_bytes);
}

TEST(Planner, Mailboxes_above_the_budget_cannot_fit) {
  EXPECT_FALSE(make_plan(settings_with_shards(64)).fits());
}

TEST(Planner, What_is_remembered_is_needed) {
  Settings settings = settings_with_shards(2);
  const Size before = make_plan(settings).needed_bytes;
  settings.history.drops += 1000;
  settings.history.marks += 1000;
  settings.history.ended += 1000;
  EXPECT_EQ(make_plan(settings).needed_bytes - before,
            2 * 1000 * (kDropBytes + kMarkBytes + kEndedBytes));
}

TEST(Planner, The_boundary_is_exact) {
  Settings settings = settings_with_shards(2);
  settings.node.memory_budget = make_plan(settings).needed_bytes;
  EXPECT_TRUE(make_plan(settings).fits());
  EXPECT_EQ(make_plan(settings).full_queues, 1U);
  settings.node.memory_budget -= 1;
  EXPECT_FALSE(make_plan(settings).fits());
  EXPECT_EQ(make_plan(settings).full_queues, 0U);
}

TEST(Planner, The_worst_case_is_told_and_not_refused) {
  const Plan plan = make_plan(settings_with_shards(2));
  EXPECT_TRUE(plan.fits());
  EXPECT_FALSE(plan.worst_case_fits());
  EXPECT_NE(plan.text().find("20000 connections x 1MiB, at most 1/8 "), std::string::npos)
      << plan.text();
  EXPECT_NE(plan.text().find("The worst case exceeds the budget by"), std::string::npos);
  EXPECT_NE(plan.text().find("The budget is kept all the same"), std::string::npos);
}

TEST(Planner, A_small_configuration_fits_even_at_its_worst) {
  Settings settings = settings_with_shards(1);
  settings.connection.max_connections = 4;
  settings.topic.max_topics = 1000;
  const Plan plan = make_plan(settings);
  EXPECT_TRUE(plan.worst_case_fits());
  EXPECT_NE(plan.text().find("Even the worst case fits."), std::string::npos);
}

TEST(Planner, Sums_stop_at_the_largest_number) {
  Settings settings = settings_with_shards(1);
  settings.subscription.queue_bytes = ~Size{0};
  const Plan plan = make_plan(settings);
  EXPECT_EQ(plan.needed_bytes, ~Size{0});
  EXPECT_FALSE(plan.fits());
}

}  // namespace
}  // namespace sluice::config
