#include "broker/queue/ring.h"

#include <deque>
#include <gtest/gtest.h>
#include <memory>

#include "libs/base/random.h"

namespace sluice::queue {
namespace {

TEST(Ring, CostsNothingWhileEmptyAndNew) {
  Ring<int> ring;
  EXPECT_TRUE(ring.empty());
  EXPECT_EQ(ring.memory_bytes(), 0U);
}

TEST(Ring, AgreesWithADeque) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    base::Random random(seed);
    Ring<std::unique_ptr<int>> ring;  // what is moved out must be given up
    std::deque<int> model;
    for (int step = 0; step < 2000; ++step) {
      const auto at = static_cast<std::uint32_t>(random.below(model.size() + 1));
      switch (random.below(model.size() > 20 ? 8 : 4)) {
        case 0:
          ring.push_back(std::make_unique<int>(step)), model.push_back(step);
          break;
        case 1:
          ring.push_front(std::make_unique<int>(step)), model.push_front(step);
          break;
        case 2:
          ring.insert(at, std::make_unique<int>(step)), model.insert(model.begin() + at, step);
          break;
        case 3:
          ring.shrink();
          break;
        case 4:
        case 5:
          if (at == model.size()) break;
          ASSERT_EQ(*ring.erase(at), model[at]);
          model.erase(model.begin() + at);
          break;
        default:
          ASSERT_EQ(*ring.pop_front(), model.front());
          model.pop_front();
      }
      ASSERT_EQ(ring.size(), model.size());
      for (std::uint32_t i = 0; i < model.size(); ++i) ASSERT_EQ(*ring[i], model[i]);
    }
  }
}

TEST(Ring, AllocatesOnlyToGrow) {
  Ring<int> ring;
  for (int i = 0; i < 100; ++i) ring.push_back(i);
  const std::size_t bytes = ring.memory_bytes();
  for (int i = 0; i < 1000; ++i) {
    ring.pop_front();
    ring.push_back(i);
  }
  EXPECT_EQ(ring.memory_bytes(), bytes);
}

TEST(Ring, GivesBackWhatItDoesNotNeed) {
  Ring<int> ring;
  for (int i = 0; i < 1000; ++i) ring.push_back(i);
  while (ring.size() > 5) ring.pop_front();
  ring.shrink();
  EXPECT_EQ(ring.memory_bytes(), 8 * sizeof(int));
  EXPECT_EQ(ring.front(), 995);
  EXPECT_EQ(ring.back(), 999);
  while (!ring.empty()) ring.pop_front();
  ring.shrink();
  EXPECT_EQ(ring.memory_bytes(), 0U);
  ring.push_back(1);
  EXPECT_EQ(ring.front(), 1);
}

}  // namespace
}  // namespace sluice::queue
