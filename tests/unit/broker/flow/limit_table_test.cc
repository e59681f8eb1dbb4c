#include "broker/flow/limit_table.h"

#include <gtest/gtest.h>

#include "broker/flow/limit_registry.h"

namespace sluice::flow {
namespace {

using namespace std::chrono_literals;
using model::LimitDirection;
using model::LimitLevel;

const base::MonotonicTime kNow(10s);
constexpr unsigned kAll = 0x3F;

class LimitTableTest : public ::testing::Test {
 protected:
  void add(std::string name, LimitLevel level, std::string match,
           LimitDirection direction = LimitDirection::kIn) {
    model::LimitSpec spec;
    spec.name = std::move(name);
    spec.level = level;
    spec.match = std::move(match);
    spec.direction = direction;
    spec.messages_per_second = 10;
    ASSERT_TRUE(registry.set(spec, kNow));
  }
  // "name key, …" of the limits that apply.
  static std::string names(const std::vector<AppliedLimit>& list) {
    std::string out;
    for (const AppliedLimit& applied : list) {
      out += (out.empty() ? "" : ", ") + applied.limit->spec.name + " " + applied.bucket->key();
    }
    return out;
  }
  AppliedLimits applied(unsigned levels = kAll) {
    AppliedLimits out;
    apply(*registry.table(), levels, subject, kNow, out);
    EXPECT_EQ(out.version, registry.table()->version);
    return out;
  }

  LimitRegistry registry{100, 100};
  const Subject subject{.listener = "native",
                        .user = "ann",
                        .client = "app",
                        .connection = "app (0/7)",
                        .topic = "orders.eu.new",
                        .subscription = "s",
                        .subscription_id = "s (0/3)"};
};

TEST_F(LimitTableTest, AppliesWhatMatchesWithABucketOfItsLevel) {
  add("node", LimitLevel::kNode, "");
  add("listener", LimitLevel::kListener, "native");
  add("user", LimitLevel::kUser, "ann");
  add("connection", LimitLevel::kConnection, "app");
  add("topic", LimitLevel::kTopic, "orders.>");
  add("subscription", LimitLevel::kSubscription, "s", LimitDirection::kOut);
  const AppliedLimits all = applied();
  EXPECT_EQ(names(all.in),
            "node node, listener native, user ann, connection app (0/7), topic orders.eu.new");
  EXPECT_EQ(names(all.out), "subscription s (0/3)");
}

TEST_F(LimitTableTest, LeavesOutWhatDoesNotMatch) {
  add("listener", LimitLevel::kListener, "mqtt");
  add("user", LimitLevel::kUser, "bob");
  add("connection", LimitLevel::kConnection, "ap");
  add("topic", LimitLevel::kTopic, "orders.*");
  add("subscription", LimitLevel::kSubscription, "t", LimitDirection::kOut);
  const AppliedLimits all = applied();
  EXPECT_EQ(names(all.in) + names(all.out), "");
}

TEST_F(LimitTableTest, MatchesAllWithoutAMatch) {
  add("topic", LimitLevel::kTopic, "");
  add("user", LimitLevel::kUser, "");
  EXPECT_EQ(names(applied().in), "topic orders.eu.new, user ann");
  EXPECT_EQ(names(applied(level_bit(LimitLevel::kUser)).in), "user ann")
      << "as far as levels are asked for";
}

TEST_F(LimitTableTest, TellsWhatItHas) {
  add("topic", LimitLevel::kTopic, "");
  const LimitTableRef table = registry.table();
  EXPECT_TRUE(table->has(LimitLevel::kTopic));
  EXPECT_FALSE(table->has(LimitLevel::kUser));
  EXPECT_TRUE(table->has(LimitDirection::kIn));
  EXPECT_FALSE(table->has(LimitDirection::kOut));
  EXPECT_EQ(table->find("topic")->number, 1U);
  EXPECT_EQ(table->find(1U)->spec.name, "topic");
  EXPECT_EQ(table->find(2U), nullptr);
}

}  // namespace
}  // namespace sluice::flow
