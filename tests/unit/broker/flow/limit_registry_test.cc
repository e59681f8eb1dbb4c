#include "broker/flow/limit_registry.h"

#include <gtest/gtest.h>

namespace sluice::flow {
namespace {

using namespace std::chrono_literals;
using base::ErrorCode;
using model::LimitLevel;

const base::MonotonicTime kNow(10s);

model::LimitSpec named(std::string name, std::uint64_t rate = 10) {
  model::LimitSpec spec;
  spec.name = std::move(name);
  spec.messages_per_second = rate;
  return spec;
}

TEST(LimitRegistry, HasNoTableWithoutLimits) {
  LimitRegistry registry(2, 10);
  EXPECT_EQ(registry.table(), nullptr);
  ASSERT_TRUE(registry.set(named("a"), kNow));
  EXPECT_EQ(registry.table()->limits.size(), 1U);
  ASSERT_TRUE(registry.remove("a", kNow));
  EXPECT_EQ(registry.table(), nullptr);
}

TEST(LimitRegistry, MakesANewTableAndLeavesTheOldOneAsItIs) {
  LimitRegistry registry(2, 10);
  ASSERT_TRUE(registry.set(named("a"), kNow));
  const LimitTableRef old = registry.table();
  ASSERT_TRUE(registry.set(named("b"), kNow));
  EXPECT_EQ(old->limits.size(), 1U);
  EXPECT_GT(registry.table()->version, old->version);
}

TEST(LimitRegistry, KeepsNumberBucketsAndLevelOfALimitThatIsSetAgain) {
  LimitRegistry registry(2, 10);
  ASSERT_TRUE(registry.set(named("a", 10), kNow));
  const BucketRef bucket = registry.table()->find("a")->buckets->get("node", kNow);
  EXPECT_FALSE(bucket->try_take(4, 0, kNow));
  ASSERT_TRUE(registry.set(named("a", 100), kNow));
  const Limit* limit = registry.table()->find("a");
  EXPECT_EQ(limit->number, 1U);
  EXPECT_EQ(limit->buckets->get("node", kNow), bucket);
  EXPECT_EQ(bucket->messages_left(kNow), 6);
  model::LimitSpec other = named("a", 100);
  other.level = LimitLevel::kUser;
  ASSERT_TRUE(registry.set(other, kNow));
  EXPECT_EQ(registry.table()->find("a")->buckets->size(), 0U) << "which counts something else";
}

TEST(LimitRegistry, GivesNoNumberTwice) {
  LimitRegistry registry(2, 10);
  ASSERT_TRUE(registry.set(named("a"), kNow));
  ASSERT_TRUE(registry.remove("a", kNow));
  ASSERT_TRUE(registry.set(named("a"), kNow));
  EXPECT_EQ(registry.table()->find("a")->number, 2U);
}

TEST(LimitRegistry, RefusesTooManyUnknownAndWrongOnes) {
  LimitRegistry registry(2, 10);
  ASSERT_TRUE(registry.set(named("a"), kNow));
  ASSERT_TRUE(registry.set(named("b"), kNow));
  EXPECT_EQ(registry.set(named("c"), kNow).error().code, ErrorCode::kResourceExhausted);
  EXPECT_TRUE(registry.set(named("b", 20), kNow)) << "changing one is no new one";
  EXPECT_EQ(registry.remove("c", kNow).error().code, ErrorCode::kUnknownLimit);
  EXPECT_EQ(registry.set(named("", 1), kNow).error().code, ErrorCode::kBadArgument);
  LimitRegistry::Terms terms;
  terms.must_be_new = true;
  EXPECT_EQ(registry.set(named("a"), kNow, terms).error().code, ErrorCode::kBadArgument);
}

TEST(LimitRegistry, EndsWhatIsForATime) {
  LimitRegistry registry(4, 10);
  LimitRegistry::Terms terms;
  terms.ends_at = kNow + 5s;
  ASSERT_TRUE(registry.set(named("a"), kNow, terms));
  ASSERT_TRUE(registry.set(named("b"), kNow));
  EXPECT_EQ(registry.rows("a", 0, kNow + 1s).at(0).ends_in, 4s);
  EXPECT_FALSE(registry.expire(kNow + 4s));
  EXPECT_TRUE(registry.expire(kNow + 5s));
  EXPECT_EQ(registry.names(), std::vector<std::string>{"b"});
}

TEST(LimitRegistry, TellsWhatLimitsHaveCounted) {
  LimitRegistry registry(4, 10);
  ASSERT_TRUE(registry.set(named("a"), kNow));
  const BucketRef bucket = registry.table()->find("a")->buckets->get("node", kNow);
  bucket->count_passed(3, 30);
  const LimitRow row = registry.rows({}, 1, kNow).at(0);
  EXPECT_EQ(row.counts.passed_messages, 3U);
  EXPECT_EQ(row.busiest.at(0).key, "node");
  EXPECT_EQ(row.busiest.at(0).messages_left, 10);
  EXPECT_EQ(registry.remove("a", kNow)->counts.passed_bytes, 30U);
}

}  // namespace
}  // namespace sluice::flow
