#include "broker/topic/level_table.h"

#include <gtest/gtest.h>
#include <string>

namespace sluice::topic {
namespace {

TEST(LevelTable, OneNumberPerTextWhileReferred) {
  LevelTable table(1);
  const std::uint32_t orders = table.retain("orders");
  EXPECT_EQ(table.retain("orders"), orders);
  EXPECT_NE(table.retain("order"), orders);
  EXPECT_EQ(table.find("orders"), orders);
  EXPECT_EQ(table.text(orders), "orders");
  table.release(orders);
  EXPECT_EQ(table.find("orders"), orders);
  table.release(orders);
  EXPECT_EQ(table.find("orders"), kNone);
  EXPECT_EQ(table.size(), 1U);
  table.check_invariants();
}

TEST(LevelTable, TextOfLevelsThatAreGoneIsGivenBack) {
  LevelTable table(1);
  const std::uint32_t kept = table.retain("kept");
  const std::string long_level(200, 'x');
  for (int i = 0; i < 10'000; ++i) {
    table.release(table.retain(long_level + std::to_string(i)));
  }
  EXPECT_LT(table.memory_bytes(), 32U << 10);
  EXPECT_EQ(table.text(kept), "kept");
  table.check_invariants();
}

}  // namespace
}  // namespace sluice::topic
