#include "broker/queue/ladder.h"

#include <gtest/gtest.h>

namespace sluice::queue {
namespace {

TEST(Ladder, ReadsAndWritesTheSameText) {
  for (const char* const text :
       {"drop_oldest", "drop_newest", "reject", "disconnect", "block", "block:50ms,drop_oldest",
        "block:1m30s,drop_newest", "block:1ns,reject", "block:2h,disconnect"}) {
    const auto ladder = parse_ladder(text);
    ASSERT_TRUE(ladder.has_value()) << text << ": " << ladder.error().detail;
    EXPECT_EQ(format_ladder(*ladder), text);
  }
}

TEST(Ladder, ConflateComesFirstAndSaysByWhat) {
  const Ladder by_topic = parse_ladder("conflate:topic,block:1s,drop_oldest").value();
  EXPECT_EQ(format_ladder(by_topic), "conflate,block:1s,drop_oldest");
  EXPECT_TRUE(by_topic.conflates());
  EXPECT_EQ(by_topic.first().kind, StepKind::kBlock);
  EXPECT_EQ(by_topic.second().kind, StepKind::kDropOldest);
  const Ladder by_key = parse_ladder("conflate:key,block").value();
  EXPECT_EQ(format_ladder(by_key), "conflate:key,block");
  EXPECT_TRUE(by_key.steps[0].by_key);
}

TEST(Ladder, SpacesAroundStepsDoNotMatter) {
  EXPECT_EQ(format_ladder(parse_ladder(" block:50ms , drop_oldest ").value()),
            "block:50ms,drop_oldest");
}

TEST(Ladder, KnowsWhetherItRejectsFirst) {
  EXPECT_TRUE(parse_ladder("reject").value().rejects_first());
  EXPECT_FALSE(parse_ladder("block:1s,reject").value().rejects_first());
  EXPECT_FALSE(parse_ladder("drop_oldest").value().rejects_first());
}

TEST(Ladder, StepsHaveTheirKindAndTime) {
  const Ladder ladder = parse_ladder("block:50ms,disconnect").value();
  EXPECT_EQ(ladder.size, 2U);
  EXPECT_EQ(ladder.steps[0].kind, StepKind::kBlock);
  EXPECT_EQ(ladder.steps[0].duration, std::chrono::milliseconds(50));
  EXPECT_EQ(ladder.steps[1].kind, StepKind::kDisconnect);
  EXPECT_EQ(ladder.steps[1].duration.count(), 0);
}

TEST(Ladder, RefusesWithTheStepTheReasonAndWhatMayStandThere) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "step 1 '': empty; a step is conflate, conflate:key, block, block:TIME"},
      {"drop_oldest,", "step 2 '': empty; a step is"},
      {"drop_old", "step 1 'drop_old': unknown; did you mean 'drop_oldest'?"},
      {"drop-newest", "did you mean 'drop_newest'?"},
      {"dissconnect", "did you mean 'disconnect'?"},
      {"blok:50ms,reject", "step 1 'blok:50ms': unknown; did you mean 'block'?"},
      {"sideways", "step 1 'sideways': unknown; a step is conflate"},
      {"DROP_OLDEST", "unknown"},
      {"block:50ms,spill", "step 2 'spill': not available in this version; a step is"},
      {"spill:1GiB,reject", "step 1 'spill:1GiB': not available in this version"},
      {"conflate:key,reject", "step 2 'reject': cannot follow conflate at once"},
      {"conflate", "step 1 'conflate': may find nothing to take"},
      {"conflate:size,block", "write conflate:topic or conflate:key"},
      {"block:1s,conflate,drop_oldest", "step 2 'conflate': comes first"},
      {"conflate,block,drop_oldest", "without end and must be the only step but conflate"},
      {"drop_oldest:5s", "step 1 'drop_oldest:5s': only block takes a time"},
      {"block:soon,reject", "step 1 'block:soon': its time: "},
      {"block:,reject", "its time: "},
      {"block:0,reject", "its time must be more than 0"},
      {"block:50ms", "step 1 'block': after its time something must follow: drop_oldest"},
      {"block,reject", "step 1 'block': without a time it waits without end and must be the only"},
      {"drop_oldest,reject", "step 1 'drop_oldest': always settles the matter and so must be the"},
      {"block:1s,block:2s,reject", "step 2 'block': stands twice"},
      {"block:1s,reject,reject,reject,reject", "more than 4 steps; a step is"}};
  for (const auto& [text, expected] : cases) {
    const auto refused = parse_ladder(text);
    ASSERT_FALSE(refused.has_value()) << text;
    EXPECT_EQ(refused.error().code, base::ErrorCode::kBadLadder) << text;
    EXPECT_NE(refused.error().detail.find(expected), std::string::npos)
        << text << ": " << refused.error().detail;
  }
}

TEST(Ladder, LongTextIsNotRepeatedWhole) {
  const std::string junk(100'000, 'x');
  for (const std::string& text : {junk, "block:" + junk, "block:" + junk + ",reject"}) {
    const auto refused = parse_ladder(text);
    ASSERT_FALSE(refused.has_value());
    EXPECT_LT(refused.error().detail.size(), 300U);
  }
}

}  // namespace
}  // namespace sluice::queue
