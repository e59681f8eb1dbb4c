#include "libs/base/assert.h"

#include <gtest/gtest.h>

namespace sluice::base {
namespace {

TEST(Assert, Holds_And_Costs_Nothing_When_True) {
  int evaluated = 0;
  ASSERT(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

TEST(AssertDeathTest, Prints_The_Expression_And_Its_Place_Then_Aborts) {
  EXPECT_EXIT(ASSERT(1 + 1 == 3), testing::KilledBySignal(SIGABRT),
              "fatal: assertion failed: 1 \\+ 1 == 3 at .*assert_test.cc:[0-9]+");
}

TEST(AssertDeathTest, Debug_Form_Is_Checked_Where_NDEBUG_Is_Not_Set) {
#ifdef NDEBUG
  int evaluated = 0;
  DASSERT(++evaluated == 7);
  EXPECT_EQ(evaluated, 0);
#else
  EXPECT_EXIT(DASSERT(false), testing::KilledBySignal(SIGABRT), "assertion failed: false");
#endif
}

TEST(AssertDeathTest, Fatal_Prints_One_Line_And_Exits_With_Its_Code) {
  EXPECT_EXIT(fatal(ExitCode::kCannotListen, "127.0.0.1:4880 is in use"),
              testing::ExitedWithCode(4), "^fatal: 127.0.0.1:4880 is in use\n$");
}

}  // namespace
}  // namespace sluice::base
