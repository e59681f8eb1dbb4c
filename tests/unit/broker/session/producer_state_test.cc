#include "broker/session/producer_state.h"

#include <gtest/gtest.h>
#include <set>

#include "libs/base/random.h"

namespace sluice::session {
namespace {

using Verdict = ProducerState::Verdict;

TEST(ProducerState, WhatWasTakenIsADuplicate) {
  ProducerState state;
  state.take(0, 10);
  state.take(10, 1);
  EXPECT_EQ(state.check(0, 10), Verdict::kDuplicate);
  EXPECT_EQ(state.check(10, 1), Verdict::kDuplicate);
  EXPECT_EQ(state.check(4, 3), Verdict::kDuplicate);
  EXPECT_EQ(state.check(11, 5), Verdict::kNew);
}

TEST(ProducerState, WhatWasSkippedMayStillCome) {
  ProducerState state;
  state.take(5, 5);
  EXPECT_EQ(state.check(0, 5), Verdict::kNew);
  state.take(2, 2);
  EXPECT_EQ(state.check(2, 2), Verdict::kDuplicate);
  EXPECT_EQ(state.check(0, 2), Verdict::kNew);
  EXPECT_EQ(state.check(4, 1), Verdict::kNew);
  EXPECT_EQ(state.check(0, 5), Verdict::kMixed);
  EXPECT_EQ(state.check(4, 2), Verdict::kMixed);
  EXPECT_EQ(state.check(9, 2), Verdict::kMixed);
}

TEST(ProducerState, WhatWasRefusedMayComeAgain) {
  ProducerState state;
  state.take(0, 3);
  state.take(3, 3);
  state.give_back(0, 3);
  EXPECT_EQ(state.check(0, 3), Verdict::kNew);
  state.take(0, 3);
  EXPECT_EQ(state.check(0, 3), Verdict::kDuplicate);
}

TEST(ProducerState, NextIsAboveAllThatWasTaken) {
  ProducerState state;
  EXPECT_EQ(state.next(), 0U);
  state.take(0, 3);
  state.take(3, 3);
  state.take(6, 4);
  EXPECT_EQ(state.next(), 10U);
  state.give_back(3, 3);
  EXPECT_EQ(state.next(), 10U);
  state.give_back(6, 4);
  EXPECT_EQ(state.next(), 3U);
  EXPECT_EQ(state.check(3, 20), Verdict::kNew);  // as one, though they were two before
  EXPECT_EQ(state.check(2, 2), Verdict::kMixed);
  state.check_invariants();
}

TEST(ProducerState, TooManyOpenRangesAreForgottenFromTheFront) {
  ProducerState state;
  for (std::uint64_t i = 0; i <= ProducerState::kOpenMax; ++i) state.take(2 * i + 1, 1);
  EXPECT_EQ(state.check(0, 1), Verdict::kForgotten);
  EXPECT_EQ(state.check(1, 1), Verdict::kDuplicate);
  EXPECT_EQ(state.check(2, 1), Verdict::kNew);
  state.give_back(1, 1);
  EXPECT_EQ(state.check(1, 1), Verdict::kNew);
}

TEST(ProducerState, AgreesWithASetOverRandomSteps) {
  base::Random random(1);
  ProducerState state;
  std::set<std::uint64_t> taken;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> sent;
  std::uint64_t next = 0;
  for (int step = 0; step < 20000; ++step) {
    std::uint64_t first = next + random.below(3);
    std::uint64_t count = 1 + random.below(4);
    if (!sent.empty() && random.below(2) == 0) {
      std::tie(first, count) =
          sent[sent.size() - 1 - random.below(std::min<std::size_t>(sent.size(), 20))];
    }
    std::uint64_t known = 0;
    for (std::uint64_t i = first; i < first + count; ++i) known += taken.count(i);
    const Verdict verdict = state.check(first, count);
    if (verdict == Verdict::kForgotten) continue;
    ASSERT_EQ(verdict, known == 0       ? Verdict::kNew
                       : known == count ? Verdict::kDuplicate
                                        : Verdict::kMixed);
    if (verdict == Verdict::kNew) {
      state.take(first, count);
      for (std::uint64_t i = first; i < first + count; ++i) taken.insert(i);
      sent.emplace_back(first, count);
      next = std::max(next, first + count);
    } else if (verdict == Verdict::kDuplicate && random.below(2) == 0) {
      state.give_back(first, count);
      for (std::uint64_t i = first; i < first + count; ++i) taken.erase(i);
    }
    state.check_invariants();
  }
}

}  // namespace
}  // namespace sluice::session
