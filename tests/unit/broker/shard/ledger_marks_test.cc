#include "broker/shard/ledger_marks.h"

#include <gtest/gtest.h>

namespace sluice::shard {
namespace {

using namespace std::chrono_literals;

constexpr base::MonotonicTime at(base::Duration time) { return base::MonotonicTime(time); }

queue::Ledger ledger(std::uint64_t matched) {
  queue::Ledger out;
  out.matched = out.delivered = matched;
  return out;
}

TEST(LedgerMarks, Are_made_when_something_has_changed_and_not_more_often_than_told) {
  LedgerMarks marks(8);
  EXPECT_EQ(marks.mark(0, ledger(0), at(5s)), 0U);
  const std::uint64_t first = marks.mark(0, ledger(1), at(10s));
  EXPECT_EQ(first, 1U);
  EXPECT_EQ(marks.mark(first, ledger(2), at(19s)), first);
  const std::uint64_t second = marks.mark(first, ledger(3), at(20s));
  EXPECT_EQ(second, 2U);
  EXPECT_EQ(marks.mark(second, ledger(3), at(100s)), second);
}

TEST(LedgerMarks, Give_what_the_ledger_said_last_before_a_time) {
  LedgerMarks marks(8);
  std::uint64_t newest = 0;
  for (int i = 1; i <= 5; ++i) newest = marks.mark(newest, ledger(i * 100U), at(i * 10s));
  const auto matched = [&](base::Duration since) {
    const LedgerMarks::Base base = marks.at(newest, at(1s), at(since));
    EXPECT_FALSE(base.is_late);
    return base.ledger.matched;
  };
  EXPECT_EQ(matched(5s), 0U);
  EXPECT_EQ(matched(10s), 100U);
  EXPECT_EQ(matched(35s), 300U);
  EXPECT_EQ(matched(1h), 500U);
  EXPECT_EQ(marks.at(newest, at(1s), at(35s)).at, at(30s));
  EXPECT_EQ(marks.at(newest, at(1s), at(5s)).at, at(1s));
}

TEST(LedgerMarks, Say_so_when_they_do_not_reach_back_that_far) {
  LedgerMarks marks(3);
  std::uint64_t newest = 0;
  for (int i = 1; i <= 5; ++i) newest = marks.mark(newest, ledger(i * 100U), at(i * 10s));
  const LedgerMarks::Base base = marks.at(newest, at(1s), at(15s));
  EXPECT_TRUE(base.is_late);
  EXPECT_EQ(base.at, at(30s));
  EXPECT_EQ(base.ledger.matched, 300U);
}

// Others have overrun all of its marks: what it has done since it began is true at any rate.
TEST(LedgerMarks, Without_any_left_the_beginning_is_what_is_known) {
  LedgerMarks marks(2);
  const std::uint64_t mine = marks.mark(0, ledger(7), at(10s));
  marks.mark(0, ledger(1), at(11s));
  marks.mark(0, ledger(1), at(12s));
  const LedgerMarks::Base base = marks.at(mine, at(1s), at(1h));
  EXPECT_EQ(base.at, at(1s));
  EXPECT_EQ(base.ledger.matched, 0U);
}

}  // namespace
}  // namespace sluice::shard
