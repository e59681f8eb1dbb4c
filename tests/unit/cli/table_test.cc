#include "cli/table.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(Table, TextStandsLeftAndNumbersRight) {
  Table table({"NAME", "COUNT"});
  table.add({"a", "1"});
  table.add({"longer", "1 000"});
  EXPECT_EQ(table.text(),
            "NAME    COUNT\n"
            "a           1\n"
            "longer  1 000\n");
}

TEST(Table, AColumnWithOneWordInItIsText) {
  Table table({"N", "BALANCE"});
  table.add({"1", "ok"});
  table.add({"22", "off by 3"});
  EXPECT_EQ(table.text(),
            " N  BALANCE\n"
            " 1  ok\n"
            "22  off by 3\n");
}

TEST(Table, CodePointsCountAndNotBytes) {
  Table table({"NAME", "X"});
  table.add({"größe…", "y"});
  table.add({"ascii6", "z"});
  EXPECT_EQ(table.text(),
            "NAME    X\n"
            "größe…  y\n"
            "ascii6  z\n");
}

TEST(Table, IsEmptyUntilARowIsAdded) {
  Table table({"NAME"});
  EXPECT_TRUE(table.empty());
  table.add({"x"});
  EXPECT_FALSE(table.empty());
}

TEST(Grouped, ThreeDigitsAtATime) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1 000");
  EXPECT_EQ(grouped(1234567), "1 234 567");
}

TEST(Counted, OneIsSingular) {
  EXPECT_EQ(counted(0, "message"), "0 messages");
  EXPECT_EQ(counted(1, "message"), "1 message");
  EXPECT_EQ(counted(1234, "message"), "1 234 messages");
}

}  // namespace
}  // namespace sluice::cli
