#include <gtest/gtest.h>

#include "libs/base/random.h"
#include "tests/unit/broker/queue/queue_comparison.h"

namespace sluice::queue {
namespace {

TEST(BoundedQueue, AgreesWithThePlainModel) {
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    base::Random random(seed);
    testing::QueueComparison comparison([&](std::uint64_t bound) { return random.below(bound); });
    for (int step = 0; step < 200 && !comparison.closed(); ++step) {
      const std::string difference = comparison.step();
      ASSERT_EQ(difference, "") << "seed " << seed << " step " << step;
    }
    ASSERT_EQ(comparison.finish(), "") << "seed " << seed << " at the end";
  }
}

}  // namespace
}  // namespace sluice::queue
