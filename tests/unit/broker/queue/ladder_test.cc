#include "broker/queue/ladder.h"

#include <gtest/gtest.h>

namespace sluice::queue {
namespace {

TEST(Ladder, ReadsAndWritesTheSameText) {
  for (const char* const text :
       {"drop_oldest", "drop_newest", "reject", "disconnect", "block", "block:50ms,drop_oldest",
        "block:1m30s,drop_newest", "block:1ns,reject", "block:2h,disconnect",
        "conflate,drop_oldest", "conflate:key,block", "block:5ms,conflate:key,reject",
        "conflate,block:5ms,disconnect", "spill,drop_oldest", "spill:64MiB,block",
        "block:5ms,spill:1GiB,reject"}) {
    const auto ladder = parse_ladder(text);
    ASSERT_TRUE(ladder.has_value()) << text << ": " << ladder.error().detail;
    EXPECT_EQ(format_ladder(*ladder), text);
  }
}

TEST(Ladder, SpillSaysHowMuchOrLeavesItOpen) {
  EXPECT_EQ(parse_ladder("spill:64KiB,reject").value().spill_bytes, 65536U);
  EXPECT_EQ(parse_ladder("spill,reject").value().spill_bytes, 0U);
  EXPECT_TRUE(parse_ladder("spill,reject").value().spills());
  EXPECT_TRUE(parse_ladder("spill,block").value().spills_before_block());
  EXPECT_FALSE(parse_ladder("block:1s,spill,reject").value().spills_before_block());
  EXPECT_FALSE(parse_ladder("reject").value().spills());
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

TEST(Ladder, ConflateAloneIsByTopic) {
  EXPECT_EQ(format_ladder(parse_ladder("conflate:topic,reject").value()), "conflate,reject");
  const Ladder ladder = parse_ladder("conflate, reject").value();
  EXPECT_EQ(ladder.steps[0].kind, StepKind::kConflate);
  EXPECT_TRUE(ladder.conflates());
  EXPECT_FALSE(ladder.conflates_by_key());
  EXPECT_FALSE(ladder.rejects_first());
  EXPECT_TRUE(parse_ladder("conflate:key,reject").value().conflates_by_key());
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
      {"", "step 1 '': empty; a step is block, block:TIME"},
      {"drop_oldest,", "step 2 '': empty; a step is"},
      {"drop_old", "step 1 'drop_old': unknown; did you mean 'drop_oldest'? a step is block"},
      {"drop-newest", "did you mean 'drop_newest'?"},
      {"dissconnect", "did you mean 'disconnect'?"},
      {"blok:50ms,reject", "step 1 'blok:50ms': unknown; did you mean 'block'?"},
      {"sideways", "step 1 'sideways': unknown; a step is block"},
      {"DROP_OLDEST", "unknown"},
      {"block:50ms,spill", "step 2 'spill': once it is full something must follow: block"},
      {"spill:large,reject", "step 1 'spill:large': its size: "},
      {"spill:0,reject", "its size must be more than 0; spill alone takes the default"},
      {"spill,spill:1KiB,reject", "step 2 'spill': stands twice"},
      {"spill,conflate,reject", "step 2 'conflate': cannot stand beside spill"},
      {"conflate:key,spill,reject", "step 1 'conflate': cannot stand beside spill"},
      {"reject:1KiB", "only block takes a time, and only spill a size"},
      {"conflate:kee,reject", "step 1 'conflate:kee': conflate is by topic or by key: conflate:"},
      {"conflat,reject", "did you mean 'conflate'?"},
      {"conflate", "step 1 'conflate': where nothing can give way something must follow: block"},
      {"conflate,conflate:key,reject", "step 2 'conflate': stands twice"},
      {"drop_oldest,conflate:key", "step 1 'drop_oldest': always settles the matter"},
      {"drop_oldest:5s", "step 1 'drop_oldest:5s': only block takes a time"},
      {"block:soon,reject", "step 1 'block:soon': its time: "},
      {"block:,reject", "its time: "},
      {"block:0,reject", "its time must be more than 0"},
      {"block:50ms", "step 1 'block': after its time something must follow: drop_oldest"},
      {"block,reject", "step 1 'block': without a time it waits without end and must be the last"},
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
