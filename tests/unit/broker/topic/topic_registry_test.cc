#include "broker/topic/topic_registry.h"

#include <gtest/gtest.h>
#include <string>

#include "libs/base/random.h"

namespace sluice::topic {
namespace {

using model::TopicRef;

model::SubscriptionSlot slot(std::uint32_t value) { return model::SubscriptionSlot(value); }

TEST(TopicRegistry, OneTopicPerName) {
  SubscriptionIndex index;
  TopicRegistry registry(index, 10);
  const TopicRef orders = registry.intern("orders.eu").value();
  EXPECT_EQ(registry.intern("orders.eu").value(), orders);
  EXPECT_NE(registry.intern("orders.us").value(), orders);
  EXPECT_EQ(*registry.name(orders), "orders.eu");
  EXPECT_EQ(registry.size(), 2U);
  registry.check_invariants();
}

TEST(TopicRegistry, NoTopicHasTheIdThatMeansNone) {
  SubscriptionIndex index;
  TopicRegistry registry(index, 1);
  for (const char* const name : {"a", "b", "c"}) {
    EXPECT_NE(registry.intern(std::string_view(name)).value().slot().value(), 0U);
  }
  EXPECT_FALSE(registry.find(model::TopicSlot(0), 0));
}

TEST(TopicRegistry, ANameFromAnotherShardIsShared) {
  SubscriptionIndex index;
  TopicRegistry registry(index, 10);
  const TopicName name = std::make_shared<const std::string>("orders.eu");
  const TopicRef topic = registry.intern(name);
  EXPECT_EQ(registry.name(topic).get(), name.get());
  EXPECT_EQ(registry.intern("orders.eu").value(), topic);
  registry.check_invariants();
}

TEST(TopicRegistry, ABadNameIsRefused) {
  SubscriptionIndex index;
  TopicRegistry registry(index, 10);
  for (const char* const name : {"", "a..b", "a.*", ">", "a b"}) {
    const auto refused = registry.intern(std::string_view(name));
    ASSERT_FALSE(refused.has_value()) << name;
    EXPECT_EQ(refused.error().code, base::ErrorCode::kBadTopic) << name;
  }
  EXPECT_EQ(registry.size(), 0U);
}

TEST(TopicRegistry, WhatWasAskedForLongestAgoIsEvictedFirst) {
  SubscriptionIndex index;
  TopicRegistry registry(index, 3);
  const TopicRef a = registry.intern("a").value();
  const model::TopicSlot b = registry.intern("b").value().slot();
  const model::TopicSlot c = registry.intern("c").value().slot();
  EXPECT_EQ(registry.intern("b").value().slot(), b);  // a is held: c is the oldest that may go
  const TopicRef d = registry.intern("d").value();
  EXPECT_EQ(d.slot(), c);
  EXPECT_EQ(*registry.name(d), "d");
  EXPECT_EQ(*registry.name(a), "a");
  EXPECT_EQ(*registry.name(registry.find(b, 0)), "b");
  registry.check_invariants();
}

TEST(TopicRegistry, AnIdIsGoodForItsGenerationOnly) {
  SubscriptionIndex index;
  TopicRegistry registry(index, 1);
  const TopicRef a = registry.intern("a").value();
  const model::TopicSlot id = a.slot();
  const std::uint32_t generation = a.generation();
  EXPECT_EQ(registry.find(id, generation), a);
  EXPECT_FALSE(registry.find(id, generation + 1));
  EXPECT_FALSE(registry.find(model::TopicSlot(99), generation));

  TopicRegistry other(index, 1);
  const std::uint32_t old = other.intern("a").value().generation();
  const TopicRef b = other.intern("b").value();
  EXPECT_FALSE(other.find(b.slot(), old));
  EXPECT_EQ(other.find(b.slot(), b.generation()), b);
}

TEST(TopicRegistry, ANameFromAnotherShardIsNeverRefusedAndItsExcessIsGivenBack) {
  SubscriptionIndex index;
  TopicRegistry registry(index, 1);
  TopicRef a = registry.intern("a").value();
  TopicRef b = registry.intern(std::make_shared<const std::string>("b"));
  TopicRef c = registry.intern(std::make_shared<const std::string>("c"));
  EXPECT_EQ(*registry.name(c), "c");
  EXPECT_EQ(registry.size(), 3U);
  registry.check_invariants();
  a = b = c = {};
  EXPECT_TRUE(registry.intern("d").has_value());
  EXPECT_EQ(registry.size(), 1U);
  registry.check_invariants();
}

TEST(TopicRegistry, RefusesOnlyWhenEveryTopicIsHeld) {
  SubscriptionIndex index;
  TopicRegistry registry(index, 2);
  const TopicRef a = registry.intern("a").value();
  TopicRef b = registry.intern("b").value();
  TopicRef b_again = b;
  const auto refused = registry.intern("c");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, base::ErrorCode::kTopicLimit);
  EXPECT_EQ(registry.intern("a").value(), a);
  b = {};
  EXPECT_FALSE(registry.intern("c").has_value());
  b_again = {};
  EXPECT_TRUE(registry.intern("c").has_value());
  registry.check_invariants();
}

// A refusal must not cost a walk over every topic, and repeated calls must get to the end.
TEST(TopicRegistry, LooksForRoomInBoundedSteps) {
  SubscriptionIndex index;
  const std::uint32_t count = 3 * kEvictionLook;
  TopicRegistry registry(index, count);
  std::vector<TopicRef> held;
  for (std::uint32_t i = 0; i < count; ++i) {
    held.push_back(registry.intern("t" + std::to_string(i)).value());
  }
  held.back() = {};
  EXPECT_FALSE(registry.intern("new").has_value());
  EXPECT_FALSE(registry.intern("new").has_value());
  EXPECT_TRUE(registry.intern("new").has_value());
  registry.check_invariants();
}

TEST(TopicRegistry, TheAnswerFollowsTheIndex) {
  SubscriptionIndex index;
  TopicRegistry registry(index, 2);
  const TopicRef topic = registry.intern("a.b").value();
  EXPECT_TRUE(registry.match(topic).local.empty());
  index.add("a.>", slot(4));
  index.add_remote("a.b", model::ShardId(2), true);
  EXPECT_EQ(registry.match(topic).local, std::vector{slot(4)});
  EXPECT_EQ(registry.match(topic).remote, 4U);
  EXPECT_EQ(registry.match(topic).remote_strict, 4U);
  index.remove("a.>", slot(4));
  EXPECT_TRUE(registry.match(topic).local.empty());
  registry.check_invariants();
}

TEST(TopicRegistry, ASlotGivenToAnotherTopicHasItsOwnAnswer) {
  SubscriptionIndex index;
  TopicRegistry registry(index, 1);
  index.add("a", slot(1));
  EXPECT_EQ(registry.match(registry.intern("a").value()).local.size(), 1U);
  EXPECT_EQ(registry.match(registry.intern("b").value()).local.size(), 0U);
}

TEST(TopicRegistry, CachedAnswersAreBounded) {
  SubscriptionIndex index;
  const std::size_t limit = 100'000;
  TopicRegistry registry(index, 1000, 0, limit);
  const std::uint32_t subscriptions = 1000;
  for (std::uint32_t i = 0; i < subscriptions; ++i) index.add(">", slot(i));
  for (int i = 0; i < 500; ++i) registry.intern("t" + std::to_string(i)).value();
  const std::size_t before = registry.memory_bytes();
  const std::size_t answer = 2 * subscriptions * sizeof(model::SubscriptionSlot);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 500; ++i) {
      const TopicRef topic = registry.intern("t" + std::to_string(i)).value();
      ASSERT_EQ(registry.match(topic).local.size(), subscriptions);
      ASSERT_LE(registry.memory_bytes(), before + limit + answer);
    }
  }
  registry.check_invariants();
}

TEST(TopicRegistry, RandomUseKeepsItsInvariants) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    base::Random random(seed);
    SubscriptionIndex index;
    TopicRegistry registry(index, 20, seed, 64);
    std::vector<std::pair<TopicRef, std::string>> held;
    for (int step = 0; step < 1000; ++step) {
      const std::string name = "t" + std::to_string(random.below(40));
      const auto topic = registry.intern(name);
      if (topic) {
        ASSERT_EQ(*registry.name(*topic), name);
        registry.match(*topic);
        if (random.below(2) == 0) held.emplace_back(*topic, name);
      }
      if (!held.empty() && (!topic || random.below(3) == 0)) {
        const std::size_t at = random.below(held.size());
        ASSERT_EQ(*registry.name(held[at].first), held[at].second);
        held.erase(held.begin() + static_cast<std::ptrdiff_t>(at));
      }
      if (random.below(5) == 0) index.add(name, slot(static_cast<std::uint32_t>(step)));
      registry.check_invariants();
    }
  }
}

}  // namespace
}  // namespace sluice::topic
