#include "broker/flow/limit_gate.h"

#include <gtest/gtest.h>

#include "broker/flow/limit_registry.h"
#include "tests/unit/broker/queue/test_batches.h"

namespace sluice::flow {
namespace {

using namespace std::chrono_literals;
using model::LimitDirection;
using model::LimitEnforce;
using Kind = Verdict::Kind;

const base::MonotonicTime kNow(10s);

// Of limits of the node, in the order in which they were set.
class LimitGate : public ::testing::Test {
 protected:
  void add(std::string name, LimitEnforce enforce, std::uint64_t rate, std::uint64_t burst,
           LimitDirection direction = LimitDirection::kIn) {
    model::LimitSpec spec;
    spec.name = std::move(name);
    spec.enforce = enforce;
    spec.direction = direction;
    spec.messages_per_second = rate;
    spec.burst_messages = burst;
    ASSERT_TRUE(registry.set(spec, kNow));
    apply(*registry.table(), 0x3F, {}, kNow, applied);
  }
  LimitLists lists() { return {nullptr, &applied, nullptr}; }
  Verdict offer(std::uint64_t messages, base::MonotonicTime deadline = base::kNever) {
    return charge(lists(), {messages, messages * 10, kNow, deadline});
  }
  LimitBucket& bucket(std::string_view name) {
    return *registry.table()->find(name)->buckets->get("node", kNow);
  }
  std::int64_t left(std::string_view name) { return *bucket(name).messages_left(kNow); }

  LimitRegistry registry{16, 100};
  AppliedLimits applied;
};

TEST_F(LimitGate, ChargesAllOrNone) {
  add("wide", LimitEnforce::kReject, 100, 100);
  add("delay", LimitEnforce::kDelay, 100, 100);
  add("narrow", LimitEnforce::kReject, 10, 10);
  EXPECT_EQ(offer(8).kind, Kind::kPass);
  const Verdict refused = offer(8);
  EXPECT_EQ(refused.kind, Kind::kReject);
  EXPECT_EQ(refused.by->limit->spec.name, "narrow");
  EXPECT_EQ(refused.when, kNow + 600ms);
  EXPECT_EQ(left("wide"), 92);
  EXPECT_EQ(left("delay"), 92);
  EXPECT_EQ(left("narrow"), 2);
}

TEST_F(LimitGate, DelaysByTheSlowest) {
  add("fast", LimitEnforce::kDelay, 100, 10);
  add("slow", LimitEnforce::kDelay, 10, 10);
  EXPECT_EQ(offer(10).kind, Kind::kPass);
  const Verdict delayed = offer(5);
  EXPECT_EQ(delayed.kind, Kind::kDelay);
  EXPECT_EQ(delayed.by->limit->spec.name, "slow");
  EXPECT_EQ(delayed.when, kNow + 500ms);
  EXPECT_EQ(bucket("slow").counts().delayed_messages, 5U);
  EXPECT_EQ(bucket("fast").counts().delayed_messages, 0U);
}

TEST_F(LimitGate, ChargesNothingForADelayPastTheDeadline) {
  add("reject", LimitEnforce::kReject, 100, 100);
  add("slow", LimitEnforce::kDelay, 10, 10);
  offer(10);
  EXPECT_EQ(offer(5, kNow + 499ms).kind, Kind::kExpired);
  EXPECT_EQ(left("reject"), 90);
  EXPECT_EQ(left("slow"), 0);
  EXPECT_EQ(offer(5, kNow + 500ms).kind, Kind::kDelay);
}

TEST_F(LimitGate, GivesBackWhatADelayedBatchWasCharged) {
  add("slow", LimitEnforce::kDelay, 10, 10);
  offer(10);
  const Offer again{5, 50, kNow, base::kNever};
  ASSERT_EQ(charge(lists(), again).kind, Kind::kDelay);
  Charged held = charged(lists(), again);
  EXPECT_EQ(left("slow"), -5);
  held.give_back();
  held.give_back();
  EXPECT_EQ(left("slow"), 0) << "once";
  EXPECT_EQ(bucket("slow").counts().passed_messages, 10U);
}

TEST_F(LimitGate, ChargesAnewWithoutAskingWhatRejects) {
  add("reject", LimitEnforce::kReject, 10, 1);
  add("slow", LimitEnforce::kDelay, 10, 10);
  const Offer again{10, 100, kNow, base::kNever};
  EXPECT_EQ(charge(lists(), again, true).kind, Kind::kPass);
  EXPECT_EQ(charge(lists(), again, true).kind, Kind::kDelay);
  EXPECT_EQ(left("reject"), 1);
}

TEST_F(LimitGate, ObservesWhatIsBeyond) {
  add("seen", LimitEnforce::kObserve, 10, 10);
  EXPECT_EQ(offer(8).kind, Kind::kPass);
  EXPECT_EQ(offer(8).kind, Kind::kPass);
  EXPECT_EQ(bucket("seen").counts().observed_messages, 8U);
  EXPECT_EQ(bucket("seen").counts().passed_messages, 16U);
}

TEST_F(LimitGate, LetsOutWhatAllAllowAndChargesNoMore) {
  add("a", LimitEnforce::kDelay, 100, 50, LimitDirection::kOut);
  add("b", LimitEnforce::kDelay, 100, 20, LimitDirection::kOut);
  add("c", LimitEnforce::kDelay, 100, 30, LimitDirection::kOut);
  const model::Slice slice = queue::testing::make_slice(std::vector<std::uint32_t>(40, 10));
  const Pace pace = pace_front(lists(), slice, 40, kNow);
  EXPECT_EQ(pace.messages, 20U);
  EXPECT_EQ(left("a"), 30);
  EXPECT_EQ(left("c"), 10);
  settle_out(lists(), {20, 200}, {15, 150}, 0, kNow);
  EXPECT_EQ(left("a"), 35);
  EXPECT_EQ(left("b"), 5);
  EXPECT_EQ(bucket("b").counts().passed_messages, 15U);
  EXPECT_EQ(pace_front(lists(), slice, 5, kNow).messages, 5U);
  const Pace held = pace_front(lists(), slice, 1, kNow);
  EXPECT_EQ(held.messages, 0U);
  EXPECT_EQ(held.by->limit->spec.name, "b");
  EXPECT_EQ(held.when, kNow + 10ms);
  EXPECT_EQ(left("a"), 30) << "what was asked before it is given back";
}

}  // namespace
}  // namespace sluice::flow
