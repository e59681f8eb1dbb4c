#include "libs/base/slab.h"

#include <atomic>
#include <cstring>
#include <gtest/gtest.h>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

namespace sluice::base {
namespace {

TEST(SlabRef, Is_Empty_Until_It_Refers_To_A_Block) {
  const SlabRef none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none, SlabRef());
  const SlabRef block = SlabRef::make(100);
  ASSERT_TRUE(block);
  EXPECT_EQ(block->capacity(), 100U);
  EXPECT_NE(block, none);
}

TEST(SlabRef, Copies_Share_And_Moves_Hand_Over) {
  SlabRef first = SlabRef::make(16);
  Slab* const block = first.get();
  EXPECT_TRUE(block->is_sole_reference());
  {
    const SlabRef second = first;
    EXPECT_EQ(second, first);
    EXPECT_FALSE(block->is_sole_reference());
  }
  EXPECT_TRUE(block->is_sole_reference());
  const SlabRef moved = std::move(first);
  EXPECT_EQ(moved.get(), block);
  EXPECT_TRUE(block->is_sole_reference());
}

TEST(SlabRef, Assignment_Drops_The_Old_Block_And_Survives_Itself) {
  SlabPool pool(16, 4);
  SlabRef reference = pool.take();
  EXPECT_EQ(pool.in_use(), 1U);
  SlabRef& same = reference;
  reference = same;
  EXPECT_EQ(pool.in_use(), 1U);
  reference = SlabRef::make(1);
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(SlabRef, A_Block_Of_No_Bytes_Is_A_Block) {
  const SlabRef block = SlabRef::make(0);
  EXPECT_TRUE(block);
  EXPECT_EQ(block->capacity(), 0U);
}

TEST(SharedBytes, Are_Empty_By_Default) {
  const SharedBytes none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.view().size(), 0U);
  EXPECT_FALSE(none.slab());
}

TEST(SharedBytes, Copy_Owns_Its_Bytes) {
  char text[] = "payload";
  const SharedBytes copy = SharedBytes::copy_of(as_bytes(text));
  std::memset(text, 'x', sizeof text - 1);
  EXPECT_EQ(as_text(copy.view()), std::string_view("payload"));
  EXPECT_TRUE(SharedBytes::copy_of({}).empty());
}

TEST(SharedBytes, Parts_Keep_The_Whole_Block_Alive) {
  SharedBytes part;
  {
    const SharedBytes whole = SharedBytes::copy_of(as_bytes("0123456789"));
    part = whole.part(2, 6).part(1, 3);
    EXPECT_EQ(part.slab(), whole.slab());
    EXPECT_TRUE(whole.part(10, 0).empty());
  }
  EXPECT_EQ(as_text(part.view()), "345");
  EXPECT_TRUE(part.slab()->is_sole_reference());
}

TEST(SlabPool, Reuses_A_Block_That_Came_Back) {
  SlabPool pool(64, 4);
  SlabRef first = pool.take();
  EXPECT_EQ(first->capacity(), 64U);
  const Slab* const block = first.get();
  first = SlabRef();
  const SlabRef again = pool.take();
  EXPECT_EQ(again.get(), block);
  EXPECT_TRUE(again->is_sole_reference());
}

TEST(SlabPool, A_Block_That_Is_Out_Is_Not_Given_Again) {
  SlabPool pool(64, 4);
  const SlabRef first = pool.take();
  const SlabRef second = pool.take();
  EXPECT_NE(first, second);
  EXPECT_EQ(pool.in_use(), 2U);
}

TEST(SlabPool, Keeps_At_Most_Idle_Max_Blocks) {
  SlabPool pool(64, 2);
  std::vector<SlabRef> out;
  for (int i = 0; i < 5; ++i) out.push_back(pool.take());
  EXPECT_EQ(pool.in_use(), 5U);
  out.clear();
  EXPECT_EQ(pool.in_use(), 0U);
  EXPECT_EQ(pool.idle(), 0U) << "blocks are gathered by the next take";
  const SlabRef one = pool.take();
  EXPECT_EQ(pool.idle(), 1U) << "two were kept, one of them is out again";
}

TEST(SlabPool, Writes_Before_Sharing_Are_Seen_By_Whoever_Reads) {
  SlabPool pool(64, 4);
  SlabRef block = pool.take();
  std::memcpy(block->data(), "hello", 5);
  const SharedBytes shared(std::move(block), 1, 4);
  std::thread([copy = shared] { EXPECT_EQ(as_text(copy.view()), "ello"); }).join();
}

TEST(SlabPoolDeathTest, May_Not_Go_Before_Its_Blocks) {
  EXPECT_DEATH(
      {
        SlabRef survivor;
        SlabPool pool(64, 4);
        survivor = pool.take();
      },
      "assertion failed");
}

TEST(SlabAccount, Counts_Blocks_Until_They_Are_Freed) {
  SlabAccount account;
  {
    SlabPool pool(1000, 1, &account);
    SlabRef first = pool.take();
    SlabRef second = pool.take();
    EXPECT_EQ(account.bytes(), 2 * Slab::footprint(1000));
    first = {};
    second = {};
    first = pool.take();  // one of the two was kept, the other freed
    first = {};
    EXPECT_EQ(account.bytes(), Slab::footprint(1000));
    pool.trim(0);
    EXPECT_EQ(account.bytes(), 0U);
    EXPECT_EQ(pool.idle(), 0U);
  }
  EXPECT_EQ(account.bytes(), 0U);
}

TEST(SlabAccount, Counts_Copies_Once_However_Many_Share_Them) {
  SlabAccount account;
  SharedBytes copy = SharedBytes::copy_of(as_bytes("hello"), &account);
  {
    const SharedBytes again = copy.part(1, 2);
    EXPECT_EQ(account.bytes(), Slab::footprint(5));
  }
  EXPECT_EQ(account.bytes(), Slab::footprint(5));
  copy = {};
  EXPECT_EQ(account.bytes(), 0U);
}

TEST(SlabAccount, Large_Blocks_Take_Whole_Pages) {
  EXPECT_EQ(Slab::footprint(256U << 10) % 4096, 0U);
  EXPECT_GT(Slab::footprint(256U << 10), 256U << 10);
  EXPECT_LT(Slab::footprint(100), 160U);
}

// Many threads drop last references while the owner takes; each block carries a stamp that a
// second owner would overwrite. Meant for ThreadSanitizer; elsewhere it checks stamps and counts.
TEST(SlabPool, Blocks_Come_Back_From_Any_Thread) {
  constexpr int kThreads = 3;
  constexpr std::uint64_t kBlocks = 20'000;
  SlabPool pool(sizeof(std::uint64_t), 8);
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> sum{0};
  std::vector<std::optional<SlabRef>> slot(kThreads);
  std::vector<std::atomic<bool>> full(kThreads);

  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const auto at = static_cast<std::size_t>(i);
      while (true) {
        if (full[at].load(std::memory_order_acquire)) {
          sum.fetch_add(load<std::uint64_t>((*slot[at])->data()), std::memory_order_relaxed);
          slot[at].reset();
          full[at].store(false, std::memory_order_release);
        } else if (done.load(std::memory_order_acquire)) {
          return;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::uint64_t stamp = 1; stamp <= kBlocks;) {
    const std::size_t at = stamp % kThreads;
    if (full[at].load(std::memory_order_acquire)) {
      std::this_thread::yield();
      continue;
    }
    SlabRef block = pool.take();
    store(block->data(), stamp);
    slot[at] = std::move(block);
    full[at].store(true, std::memory_order_release);
    ++stamp;
  }
  while (pool.in_use() != 0) std::this_thread::yield();
  done.store(true, std::memory_order_release);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum.load(), kBlocks * (kBlocks + 1) / 2);
}

}  // namespace
}  // namespace sluice::base
