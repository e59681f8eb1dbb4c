#include "tests/bench/load/work.h"

#include <gtest/gtest.h>

namespace sluice::bench {
namespace {

TEST(Work, ReadsAShapeAndItsTopics) {
  const auto fan_out = parse_work({"--port", "1", "--shape", "1:100"});
  ASSERT_TRUE(fan_out);
  EXPECT_EQ(fan_out->publishers, 1U);
  EXPECT_EQ(fan_out->subscribers, 100U);
  EXPECT_EQ(fan_out->topics, 1U);
  const auto pairs = parse_work({"--port", "1", "--shape", "10:10"});
  ASSERT_TRUE(pairs);
  EXPECT_EQ(pairs->topics, 10U);
}

TEST(Work, RefusesWhatItDoesNotKnowAndNamesIt) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"--port", "1", "--colour", "red"},
                                             {"--port", "1", "--payload", "12x"},
                                             {"--port", "1", "--payload", "-1"},
                                             {"--port", "1", "--shape", "1-1"},
                                             {"--port", "1", "--shape", "0:1"},
                                             {"--port", "1", "--peer", "kafka"},
                                             {"--port", "1", "--payload", "4", "--rate", "10"},
                                             {"--port"}}) {
    const auto work = parse_work(arguments);
    ASSERT_FALSE(work);
    EXPECT_NE(work.error().detail.find(arguments[arguments.size() > 2 ? 2 : 0]), std::string::npos)
        << work.error().detail;
  }
  EXPECT_FALSE(parse_work({}));
}

TEST(Work, AFrameHoldsWhatFitsAndAtLeastOne) {
  EXPECT_EQ(messages_in(1000, 100, 30), 30U);
  EXPECT_EQ(messages_in(1000, 100, 899), 1U);
  EXPECT_EQ(messages_in(1000, 100, 5000), 1U);
  EXPECT_EQ(messages_in(50, 100, 30), 1U);
}

}  // namespace
}  // namespace sluice::bench
