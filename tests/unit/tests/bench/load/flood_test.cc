#include "tests/bench/load/flood.h"

#include <gtest/gtest.h>
#include <string>

#include "libs/base/random.h"
#include "tests/bench/load/outgoing.h"

namespace sluice::bench {
namespace {

Flood flood_of(std::string_view unit, std::size_t bytes) {
  return Flood(repeat(base::as_bytes(unit), bytes), unit.size());
}

TEST(Flood, ABlockIsAWholeNumberOfUnits) {
  EXPECT_EQ(repeat(base::as_bytes("abc"), 10).size(), 9U);
  EXPECT_EQ(repeat(base::as_bytes("abc"), 1).size(), 3U);
}

TEST(Flood, NothingIsBegunWithoutLeave) {
  const Flood flood = flood_of("abc", 9);
  EXPECT_TRUE(flood.view(0).empty());
  EXPECT_EQ(base::as_text(flood.view(2)), "abcabc");
  EXPECT_EQ(base::as_text(flood.view(100)), "abcabcabc");
}

TEST(Flood, AUnitHalfWrittenIsFinishedEvenWithoutLeave) {
  Flood flood = flood_of("abc", 9);
  const auto first = flood.advance(4);
  EXPECT_EQ(first.begun, 2U);
  EXPECT_EQ(first.completed, 1U);
  EXPECT_FALSE(flood.at_boundary());
  EXPECT_EQ(base::as_text(flood.view(0)), "bc");
  EXPECT_EQ(flood.new_units(9), 1U);
  const auto second = flood.advance(2);
  EXPECT_EQ(second.begun, 0U);
  EXPECT_EQ(second.completed, 1U);
  EXPECT_TRUE(flood.at_boundary());
}

TEST(Flood, WrittenInAnyPartsItIsTheUnitOverAndOver) {
  base::Random random(3);
  Flood flood = flood_of("abcd", 20);
  std::string written;
  std::size_t begun = 0;
  std::size_t completed = 0;
  while (written.size() < 4000) {
    const auto view = flood.view(1 + random.next() % 5);
    const std::size_t bytes = 1 + random.next() % view.size();
    written += base::as_text(view.first(bytes));
    const auto progress = flood.advance(bytes);
    begun += progress.begun;
    completed += progress.completed;
    EXPECT_EQ(completed, written.size() / 4);
    EXPECT_EQ(begun, (written.size() + 3) / 4);
  }
  for (std::size_t i = 0; i < written.size(); ++i) ASSERT_EQ(written[i], "abcd"[i % 4]);
}

TEST(Outgoing, ControlBytesWaitForTheEndOfAUnitAndGoBeforeTheNext) {
  Outgoing out;
  out.set_flood(flood_of("abc", 9));
  out.advance(out.view(1).first(1).size());
  out.add_text("PONG");
  EXPECT_EQ(base::as_text(out.view(5)), "bc");
  out.advance(2);
  EXPECT_EQ(base::as_text(out.view(5)), "PONG");
  out.advance(3);
  EXPECT_EQ(base::as_text(out.view(5)), "G");
  EXPECT_FALSE(out.idle());
  out.advance(1);
  EXPECT_TRUE(out.idle());
  EXPECT_EQ(base::as_text(out.view(1)), "abc");
}

TEST(Outgoing, AnEmptyOneHasNothingToWrite) {
  const Outgoing out;
  EXPECT_TRUE(out.idle());
  EXPECT_TRUE(out.view(1000).empty());
}

}  // namespace
}  // namespace sluice::bench
