#include "broker/store/memory/memory_spill_store.h"

#include <gtest/gtest.h>

namespace sluice::store {
namespace {

using Fetch = port::SpillStore::Fetch;

base::SharedBytes batch_of(std::size_t bytes) {
  return base::SharedBytes::copy_of(std::vector<std::byte>(bytes, std::byte{7}));
}

TEST(MemorySpillStore, GivesBackEachBatchOnce) {
  MemorySpillStore store;
  const auto small = store.put(batch_of(3));
  const auto large = store.put(batch_of(5));
  EXPECT_NE(small, MemorySpillStore::kNone);
  EXPECT_NE(small, large);
  base::SharedBytes batch;
  ASSERT_EQ(store.fetch(large, 1, batch), Fetch::kReady);
  EXPECT_EQ(batch.size(), 5U);
  ASSERT_EQ(store.fetch(small, 1, batch), Fetch::kReady);
  EXPECT_EQ(batch.size(), 3U);
  EXPECT_EQ(store.fetch(small, 1, batch), Fetch::kLost);
  EXPECT_TRUE(store.take_arrived().empty());
}

TEST(MemorySpillStore, ForgetsWhatIsNotWanted) {
  MemorySpillStore store;
  const base::SharedBytes batch = batch_of(3);
  const std::size_t empty = store.memory_bytes();
  const auto handle = store.put(batch);
  EXPECT_GT(store.memory_bytes(), empty);
  store.drop(handle);
  store.drop(handle);
  base::SharedBytes back;
  EXPECT_EQ(store.fetch(handle, 1, back), Fetch::kLost);
  EXPECT_TRUE(store.in_memory());
}

}  // namespace
}  // namespace sluice::store
