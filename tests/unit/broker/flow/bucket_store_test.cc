#include "broker/flow/bucket_store.h"

#include <gtest/gtest.h>

namespace sluice::flow {
namespace {

using namespace std::chrono_literals;

const base::MonotonicTime kNow(10s);

model::LimitSpec ten() {
  model::LimitSpec spec;
  spec.messages_per_second = 10;
  return spec;
}

TEST(BucketStore, GivesTheSameBucketForTheSameKey) {
  BucketStore store(ten(), 100);
  const BucketRef a = store.get("a", kNow);
  EXPECT_EQ(a, store.get("a", kNow));
  EXPECT_NE(a, store.get("b", kNow));
  EXPECT_EQ(a->key(), "a");
}

TEST(BucketStore, ForgetsFullOnesThatNobodyHoldsAndKeepsTheirCounts) {
  BucketStore store(ten(), 1000);
  for (int i = 0; i < 500; ++i) {
    const BucketRef bucket = store.get("once " + std::to_string(i), kNow);
    bucket->count_passed(1, 10);
  }
  EXPECT_LE(store.size(), 20U);
  EXPECT_EQ(store.totals().passed_messages, 500U);
  EXPECT_EQ(store.totals().passed_bytes, 5000U);
}

TEST(BucketStore, ForgetsNoneThatIsHeldOrNotFull) {
  BucketStore store(ten(), 1000);
  const BucketRef held = store.get("held", kNow);
  static_cast<void>(store.get("used", kNow)->try_take(5, 0, kNow));
  for (int i = 0; i < 500; ++i) static_cast<void>(store.get(std::to_string(i), kNow));
  EXPECT_EQ(store.get("held", kNow), held);
  EXPECT_EQ(store.get("used", kNow)->messages_left(kNow), 5);
}

TEST(BucketStore, SharesOneBucketBeyondItsBound) {
  BucketStore store(ten(), 3);
  std::vector<BucketRef> held;
  for (int i = 0; i < 10; ++i) held.push_back(store.get(std::to_string(i), kNow));
  EXPECT_EQ(store.size(), 4U);
  EXPECT_EQ(held[3]->key(), BucketStore::kOthers);
  EXPECT_EQ(held[3], held[9]);
  static_cast<void>(held[9]->try_take(4, 0, kNow));
  model::LimitSpec five = ten();
  five.messages_per_second = 5;
  store.reshape(five, kNow);
  EXPECT_EQ(held[3]->messages_left(kNow), 5);
}

TEST(BucketStore, ShowsTheBusiestFirst) {
  BucketStore store(ten(), 100);
  const BucketRef quiet = store.get("quiet", kNow);
  const BucketRef busy = store.get("busy", kNow);
  const BucketRef over = store.get("over", kNow);
  busy->count_passed(1000, 0);
  over->count_delayed(1);
  const std::vector<BucketRef> shown = store.busiest(2);
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_EQ(shown[0], over);
  EXPECT_EQ(shown[1], busy);
}

}  // namespace
}  // namespace sluice::flow
