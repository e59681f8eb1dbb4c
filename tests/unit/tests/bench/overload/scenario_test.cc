#include "tests/bench/overload/scenario.h"

#include <gtest/gtest.h>

namespace sluice::bench {
namespace {

using base::ErrorCode;

std::string complaint_about(const std::vector<std::string>& arguments) {
  const auto scenario = parse_scenario(arguments);
  if (scenario) return "";
  EXPECT_EQ(scenario.error().code, ErrorCode::kBadArgument);
  return scenario.error().detail;
}

TEST(Scenario, HasOptionsOfItsOwnAndThoseOfTheLoadGenerator) {
  const auto scenario = parse_scenario({"--peer", "redis", "--port", "7", "--rate", "100",
                                        "--payload", "64", "--healthy", "3", "--stalled", "2",
                                        "--lead", "0.5", "--stalled-receive-bytes", "4096"});
  ASSERT_TRUE(scenario) << scenario.error().message();
  EXPECT_EQ(scenario->work.peer, "redis");
  EXPECT_EQ(scenario->work.port, 7);
  EXPECT_EQ(scenario->work.payload_bytes, 64U);
  EXPECT_EQ(scenario->work.lanes, 1U);
  EXPECT_EQ(scenario->healthy, 3U);
  EXPECT_EQ(scenario->stalled, 2U);
  EXPECT_EQ(scenario->lead_seconds, 0.5);
  EXPECT_EQ(scenario->stalled_receive_bytes, 4096U);
}

TEST(Scenario, ReadersOfAnotherTopicMakeThePublisherSendToTwo) {
  const auto scenario = parse_scenario({"--port", "7", "--rate", "1", "--other", "5"});
  ASSERT_TRUE(scenario) << scenario.error().message();
  EXPECT_EQ(scenario->other, 5U);
  EXPECT_EQ(scenario->work.lanes, 2U);
}

TEST(Scenario, SaysWhatIsWrong) {
  EXPECT_EQ(complaint_about({"--port", "7"}), "--rate is missing");
  EXPECT_EQ(complaint_about({"--rate", "1"}), "--port is missing");
  EXPECT_EQ(complaint_about({"--port", "7", "--rate"}), "--rate needs a value");
  EXPECT_EQ(complaint_about({"--port", "7", "--rate", "1", "--peer", "ftp"}), "--peer ftp");
  EXPECT_EQ(complaint_about({"--port", "7", "--rate", "1", "--healthy", "x"}), "--healthy x");
  EXPECT_EQ(complaint_about({"--port", "7", "--rate", "1", "--healthy", "0"}), "--healthy 0");
  EXPECT_EQ(complaint_about({"--port", "7", "--rate", "1", "--nonsense", "0"}), "--nonsense 0");
  EXPECT_EQ(complaint_about({"--port", "7", "--rate", "1", "--payload", "8"}),
            "--payload must be 16 or more");
  EXPECT_EQ(complaint_about({"--port", "7", "--rate", "1", "--lead", "-1"}),
            "--lead and --slow are times");
  EXPECT_EQ(complaint_about({"--port", "7", "--rate", "1", "--peer", "nats", "--other", "1"}),
            "--other is for sluice");
}

}  // namespace
}  // namespace sluice::bench
