#include "tests/bench/load/result.h"

#include <gtest/gtest.h>

namespace sluice::bench {
namespace {

Outcome outcome_of_two_seconds() {
  Outcome outcome;
  outcome.before.at_ns = 1'000'000'000;
  outcome.after.at_ns = 3'000'000'000;
  outcome.before.totals.delivered = 1000;
  outcome.after.totals.delivered = 2'001'000;
  outcome.before.broker.cpu_seconds = 1;
  outcome.after.broker.cpu_seconds = 2;
  outcome.after.generator.cpu_seconds = 0.5;
  outcome.final.delivered = 2'100'000;
  outcome.expected = 2'100'003;
  return outcome;
}

TEST(Result, RatesAreThoseOfTheWindowAndLossIsThatOfTheWholeRun) {
  Work work;
  work.payload_bytes = 100;
  const std::string json = to_json(work, outcome_of_two_seconds());
  for (const char* member :
       {"\"messages_per_s\":1e+06", "\"payload_mb_per_s\":100", "\"broker_cpu_s_per_million\":0.5",
        "\"broker_busy\":0.5", "\"generator_busy\":0.25", "\"lost\":3", "\"settled\":false"}) {
    EXPECT_NE(json.find(member), std::string::npos) << member << " in " << json;
  }
  EXPECT_EQ(json.find("p50_us"), std::string::npos);
  EXPECT_EQ(json.front(), '{');
  EXPECT_EQ(json.back(), '}');
}

TEST(Result, AnOpenLoopHasPercentilesInMicroseconds) {
  Work work;
  work.rate = 1000;
  Outcome outcome = outcome_of_two_seconds();
  outcome.latency.record(2000);
  const std::string json = to_json(work, outcome);
  EXPECT_NE(json.find("\"p99_us\":2,"), std::string::npos) << json;
  EXPECT_NE(json.find("\"latency_count\":1,"), std::string::npos) << json;
}

TEST(Result, NothingDeliveredIsNotADivisionByZero) {
  Outcome outcome = outcome_of_two_seconds();
  outcome.after.totals.delivered = outcome.before.totals.delivered;
  EXPECT_NE(to_json(Work{}, outcome).find("\"broker_cpu_s_per_million\":0,"), std::string::npos);
}

}  // namespace
}  // namespace sluice::bench
