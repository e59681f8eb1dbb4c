#include "cli/exit_code.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

ExitCode of(ErrorCode code) { return exit_code_of(Error{code, {}}); }

TEST(ExitCode, EachKindOfErrorHasItsNumber) {
  EXPECT_EQ(of(ErrorCode::kBadTopic), ExitCode::kUsage);
  EXPECT_EQ(of(ErrorCode::kBadLadder), ExitCode::kUsage);
  EXPECT_EQ(of(ErrorCode::kConnectFailed), ExitCode::kCannotConnect);
  EXPECT_EQ(of(ErrorCode::kQueueFull), ExitCode::kNotAccepted);
  EXPECT_EQ(of(ErrorCode::kNeedNotMet), ExitCode::kNotAccepted);
  EXPECT_EQ(of(ErrorCode::kTimeout), ExitCode::kTimeout);
  EXPECT_EQ(of(ErrorCode::kDeadlineExceeded), ExitCode::kTimeout);
  EXPECT_EQ(of(ErrorCode::kNoResponders), ExitCode::kNoResponders);
  EXPECT_EQ(of(ErrorCode::kConnectionLost), ExitCode::kFailure);
  EXPECT_EQ(of(ErrorCode::kInternal), ExitCode::kFailure);
}

TEST(ExitCode, TheNumbersAreThoseOfTheGuide) {
  EXPECT_EQ(static_cast<int>(ExitCode::kUsage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::kCannotConnect), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::kNotAccepted), 4);
  EXPECT_EQ(static_cast<int>(ExitCode::kTimeout), 5);
  EXPECT_EQ(static_cast<int>(ExitCode::kNoResponders), 6);
  EXPECT_EQ(static_cast<int>(ExitCode::kInterrupted), 130);
}

}  // namespace
}  // namespace sluice::cli
