#include "broker/queue/gap_list.h"

#include <gtest/gtest.h>
#include <string>

namespace sluice::queue {
namespace {

using wire::GapReason;

Gap lost(std::uint64_t first, std::uint64_t last, GapReason reason = GapReason::kDroppedOldest) {
  const std::uint64_t count = last - first + 1;
  return {.reason = reason, .first = first, .last = last, .count = count, .bytes = 10 * count};
}

std::string show(const Gap& gap) {
  return std::to_string(static_cast<int>(gap.reason)) + ":" + std::to_string(gap.first) + "-" +
         std::to_string(gap.last) + "x" + std::to_string(gap.count) + "/" +
         std::to_string(gap.bytes);
}

std::string drain(GapList& gaps) {
  std::string out;
  while (!gaps.empty()) {
    gaps.check_invariants();
    out += (out.empty() ? "" : " ") + show(gaps.pop_front().gap);
  }
  return out;
}

TEST(GapList, LossesOfOneReasonGrowTogether) {
  GapList gaps;
  gaps.add(lost(1, 2), false, false);
  gaps.add(lost(3, 3), true, false);
  EXPECT_EQ(gaps.untold(), 3U);
  EXPECT_EQ(drain(gaps), "1:1-3x3/30");
}

TEST(GapList, HolesKeepTheirPlaces) {
  GapList gaps;
  gaps.add(lost(5, 5), false, false);
  gaps.add(lost(1, 1), false, false);
  gaps.add(lost(9, 9), false, false);
  EXPECT_EQ(gaps.first_place(), 1U);
  EXPECT_EQ(gaps.place_before(7), 5U);
  EXPECT_EQ(gaps.place_after(7), 9U);
  EXPECT_EQ(gaps.place_before(1), 1U);
  EXPECT_EQ(gaps.place_after(9), std::nullopt);
  EXPECT_EQ(drain(gaps), "1:1-1x1/10 1:5-5x1/10 1:9-9x1/10");
}

TEST(GapList, AHoleThatHasMovedBackCanJoinTheNext) {
  GapList gaps;
  gaps.add(lost(1, 1, GapReason::kTooLarge), false, false);
  gaps.add(lost(4, 4, GapReason::kExpired), true, false);
  gaps.add(lost(5, 5), false, false);
  const GapList::Taken taken = gaps.pop_front();
  EXPECT_EQ(show(taken.gap), "4:4-4x1/10");
  EXPECT_EQ(taken.rest, 1U);
  gaps.join_next(taken.rest);
  EXPECT_EQ(gaps.first_place(), 1U);
  EXPECT_EQ(gaps.place_after(1), std::nullopt);
  EXPECT_EQ(drain(gaps), "1:5-5x1/10 7:1-1x1/10");
}

TEST(GapList, ALossBetweenTwoHolesMakesThemOne) {
  GapList gaps;
  gaps.add(lost(1, 1, GapReason::kTooLarge), false, false);
  gaps.add(lost(3, 3, GapReason::kTooLarge), false, false);
  gaps.add(lost(4, 4, GapReason::kExpired), true, false);
  gaps.add(lost(2, 2), true, true);
  EXPECT_EQ(gaps.place_after(1), std::nullopt);
  EXPECT_EQ(drain(gaps), "1:2-2x1/10 4:4-4x1/10 7:1-3x2/20");
}

// Once its first gap is told, what is left of a hole stands where its own first loss is.
TEST(GapList, WhatIsLeftOfAHoleFindsItsPlace) {
  GapList gaps;
  gaps.add(lost(3, 3), false, false);
  gaps.add(lost(9, 9, GapReason::kExpired), true, false);
  gaps.add(lost(5, 5), false, false);
  EXPECT_EQ(show(gaps.pop_front().gap), "1:3-3x1/10");
  gaps.check_invariants();
  EXPECT_EQ(drain(gaps), "1:5-5x1/10 4:9-9x1/10");
}

}  // namespace
}  // namespace sluice::queue
