#include "cli/suggest.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

const std::vector<std::string> kVerbs = {"pub", "sub", "request", "reply", "status", "ping"};

TEST(Suggest, ASlipOfOneLetterFindsTheWord) {
  EXPECT_EQ(did_you_mean("statsu", kVerbs), "; did you mean 'status'?");
  EXPECT_EQ(did_you_mean("pubb", kVerbs), "; did you mean 'pub'?");
  EXPECT_EQ(did_you_mean("rply", kVerbs), "; did you mean 'reply'?");
}

TEST(Suggest, TheLongFormOfAWordFindsTheShortOne) {
  EXPECT_EQ(did_you_mean("subscribe", kVerbs), "; did you mean 'sub'?");
  EXPECT_EQ(did_you_mean("publish", kVerbs), "; did you mean 'pub'?");
  EXPECT_EQ(did_you_mean("req", kVerbs), "; did you mean 'request'?");
}

TEST(Suggest, AnotherWordFindsNothing) {
  EXPECT_EQ(did_you_mean("frobnicate", kVerbs), "");
  EXPECT_EQ(did_you_mean("", kVerbs), "");
  EXPECT_EQ(did_you_mean("status", {}), "");
}

TEST(Suggest, TheNearestWins) { EXPECT_EQ(did_you_mean("sob", kVerbs), "; did you mean 'sub'?"); }

}  // namespace
}  // namespace sluice::cli
