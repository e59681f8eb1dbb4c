// Several shards charging limits while an operator changes them.

#include <array>
#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "broker/flow/limit_gate.h"
#include "broker/flow/limit_registry.h"

namespace sluice::flow {
namespace {

using namespace std::chrono_literals;

constexpr int kShards = 4;
constexpr int kSteps = 20'000;
constexpr std::uint64_t kRate = 10'000;
constexpr std::uint64_t kBurst = 100;

model::LimitSpec spec_of(std::uint64_t rate) {
  model::LimitSpec spec;
  spec.name = "topics";
  spec.level = model::LimitLevel::kTopic;
  spec.enforce = model::LimitEnforce::kReject;
  spec.messages_per_second = rate;
  spec.burst_messages = kBurst;
  return spec;
}

// Charges two topics in turn, with its own lists as a shard has them; returns what passed.
std::uint64_t charge_topics(const LimitRegistry& registry, base::MonotonicTime start) {
  std::uint64_t passed = 0;
  std::array<AppliedLimits, 2> applied;
  for (int i = 0; i < kSteps; ++i) {
    const base::MonotonicTime now = start + std::chrono::microseconds(50) * i;
    AppliedLimits& of_topic = applied[static_cast<std::size_t>(i % 2)];
    const LimitTableRef table = registry.table();
    if (table == nullptr) continue;
    if (of_topic.version != table->version) {
      Subject subject;
      subject.topic = i % 2 == 0 ? "a" : "b";
      apply(*table, level_bit(model::LimitLevel::kTopic), subject, now, of_topic);
    }
    const Verdict verdict = charge({&of_topic, nullptr, nullptr}, {3, 30, now, base::kNever});
    if (verdict.kind == Verdict::Kind::kPass) passed += 3;
  }
  return passed;
}

TEST(LimitThreads, HoldTogetherWhatTheyAllow) {
  LimitRegistry registry(4, 100);
  const base::MonotonicTime start(10s);
  ASSERT_TRUE(registry.set(spec_of(kRate), start));
  std::atomic<std::uint64_t> passed{0};
  std::vector<std::thread> shards;
  for (int i = 0; i < kShards; ++i) {
    shards.emplace_back([&] { passed += charge_topics(registry, start); });
  }
  for (std::thread& shard : shards) shard.join();
  EXPECT_LE(passed.load(), 2 * (kRate + kBurst)) << "two topics, for a second";
  EXPECT_GT(passed.load(), kRate);
  const LimitCounts counts = registry.rows("topics", 0, start).at(0).counts;
  EXPECT_EQ(counts.passed_messages, passed.load());
  EXPECT_EQ(counts.passed_messages + counts.refused_messages, 3U * kShards * kSteps);
}

TEST(LimitThreads, MayBeChangedListedAndRemovedMeanwhile) {
  LimitRegistry registry(4, 100);
  const base::MonotonicTime start(10s);
  ASSERT_TRUE(registry.set(spec_of(kRate), start));
  std::vector<std::thread> shards;
  for (int i = 0; i < kShards; ++i) {
    shards.emplace_back([&] { charge_topics(registry, start); });
  }
  for (int i = 0; i < 300; ++i) {
    const base::MonotonicTime now = start + 1ms * i;
    if (i % 50 == 49) {
      EXPECT_TRUE(registry.remove("topics", now));
    }
    EXPECT_TRUE(registry.set(spec_of(kRate + static_cast<std::uint64_t>(i)), now));
    EXPECT_EQ(registry.rows({}, 5, now).size(), 1U);
  }
  for (std::thread& shard : shards) shard.join();
  EXPECT_LE(registry.table()->find("topics")->buckets->size(), 2U);
}

}  // namespace
}  // namespace sluice::flow
