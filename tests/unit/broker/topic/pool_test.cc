#include "broker/topic/pool.h"

#include <gtest/gtest.h>
#include <string>

namespace sluice::topic {
namespace {

TEST(Pool, NeverMovesWhatItHolds) {
  Pool<std::string> pool;
  const std::uint32_t first = pool.take();
  std::string* const address = &pool[first];
  *address = "here";
  for (int i = 0; i < 5000; ++i) pool.take();
  EXPECT_EQ(&pool[first], address);
  EXPECT_EQ(pool[first], "here");
  EXPECT_EQ(pool.in_use(), 5001U);
}

TEST(Pool, GivesBackPositionsAsNew) {
  Pool<std::string> pool;
  const std::uint32_t position = pool.take();
  pool[position] = "old";
  pool.give_back(position);
  EXPECT_EQ(pool.in_use(), 0U);
  const std::size_t bytes = pool.memory_bytes();
  EXPECT_EQ(pool.take(), position);
  EXPECT_EQ(pool[position], "");
  EXPECT_EQ(pool.made(), 1U);
  EXPECT_EQ(pool.memory_bytes(), bytes);
}

}  // namespace
}  // namespace sluice::topic
