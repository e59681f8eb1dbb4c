#include "broker/admin/limit_verbs.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sluice::admin {
namespace {

using namespace std::chrono_literals;
using base::ErrorCode;
using Json = nlohmann::json;

class LimitVerbsTest : public ::testing::Test {
 protected:
  Json run(std::string_view verb, std::string_view body) {
    const Answer answer = verbs.run(verb, body, now, 1U << 20);
    EXPECT_EQ(answer.error, ErrorCode::kNone) << answer.body;
    return Json::parse(answer.body)["limits"];
  }
  std::string failed(std::string_view verb, std::string_view body, ErrorCode code) {
    const Answer answer = verbs.run(verb, body, now, 1U << 20);
    EXPECT_EQ(answer.error, code);
    return Json::parse(answer.body)["error"];
  }

  flow::LimitRegistry registry{4, 1000};
  int changes = 0;
  LimitVerbs verbs{registry, [this] { ++changes; }};
  base::MonotonicTime now{10s};
};

TEST_F(LimitVerbsTest, SetListAndRemove) {
  EXPECT_EQ(run("limit.list", ""), Json::array());
  const Json set = run("limit.set", R"({"name":"a","messages_per_second":100})");
  ASSERT_EQ(set.size(), 1U);
  EXPECT_EQ(set[0]["level"], "node");
  EXPECT_EQ(set[0]["burst_messages"], 100);
  EXPECT_EQ(set[0]["set"], "run time");
  EXPECT_EQ(changes, 1);
  registry.table()->find("a")->buckets->get("node", now)->count_passed(3, 30);
  const Json listed = run("limit.list", R"({"name":"a"})");
  EXPECT_EQ(listed[0]["busiest"][0]["key"], "node");
  EXPECT_EQ(listed[0]["busiest"][0]["messages_left"], 100);
  const Json removed = run("limit.remove", R"({"name":"a"})");
  EXPECT_EQ(removed[0]["counts"]["passed_bytes"], 30);
  EXPECT_EQ(changes, 2);
  EXPECT_EQ(run("limit.list", "{}"), Json::array());
}

TEST_F(LimitVerbsTest, ChangesOnlyWhatIsGiven) {
  run("limit.set", R"({"name":"a","level":"topic","match":"x.>","bytes_per_second":"1MiB"})");
  const Json set = run("limit.set", R"({"name":"a","bytes_per_second":"2MiB"})");
  EXPECT_EQ(set[0]["match"], "x.>");
  EXPECT_EQ(set[0]["bytes_per_second"], 2 << 20);
}

TEST_F(LimitVerbsTest, SaysWhatIsWrong) {
  EXPECT_EQ(failed("limit.set", R"({"name":"a","rate":1})", ErrorCode::kBadArgument),
            "a limit has no field \"rate\"");
  EXPECT_EQ(failed("limit.set", R"({"name":"a","enforced":"delay"})", ErrorCode::kBadArgument),
            "a limit has no field \"enforced\"; did you mean \"enforce\"?");
  EXPECT_EQ(failed("limit.set", R"({"name":"a"})", ErrorCode::kBadArgument),
            "a limit needs messages_per_second or bytes_per_second, or both");
  EXPECT_EQ(failed("limit.set", R"({"name":"a","level":["x"]})", ErrorCode::kBadArgument),
            "level: it must be a number or a text");
  run("limit.set", R"({"name":"orders","messages_per_second":1})");
  EXPECT_EQ(failed("limit.remove", R"({"name":"order"})", ErrorCode::kUnknownLimit),
            "order; did you mean \"orders\"?");
  EXPECT_EQ(failed("limit.list", R"({"name":"order"})", ErrorCode::kUnknownLimit),
            "order; did you mean \"orders\"?");
  EXPECT_NE(failed("limit.get", "{}", ErrorCode::kBadArgument).find("limit.list"),
            std::string::npos);
  failed("limit.list", "[", ErrorCode::kBadArgument);
  failed("limit.remove", "{}", ErrorCode::kUnknownLimit);
}

TEST_F(LimitVerbsTest, SimulatesUntilItsTimeAndAGraceAreOver) {
  const std::string body =
      R"({"name":"s","messages_per_second":5,"enforce":"reject","for_ms":2000})";
  const Json begun = run("limit.simulate", body);
  EXPECT_EQ(begun[0]["enforce"], "observe");
  EXPECT_EQ(begun[0]["ends_in_ms"], 12'000);
  EXPECT_NE(failed("limit.simulate", body, ErrorCode::kBadArgument).find("already"),
            std::string::npos);
  now += 11s;
  EXPECT_EQ(run("limit.list", "{}").size(), 1U);
  now += 1s;
  EXPECT_EQ(run("limit.list", "{}").size(), 0U);
  EXPECT_EQ(changes, 2);
  EXPECT_NE(
      failed("limit.simulate", R"({"name":"s","messages_per_second":5})", ErrorCode::kBadArgument)
          .find("for_ms"),
      std::string::npos);
}

TEST_F(LimitVerbsTest, CutsWhatDoesNotFit) {
  run("limit.set", R"({"name":"a","level":"topic","messages_per_second":1})");
  std::vector<flow::BucketRef> held;
  for (int i = 0; i < 100; ++i) {
    held.push_back(
        registry.table()->find("a")->buckets->get(std::string(200, 'x') + std::to_string(i), now));
  }
  const Answer small = verbs.run("limit.list", R"({"buckets":100})", now, 8000);
  EXPECT_LE(small.body.size(), 8000U);
  EXPECT_EQ(Json::parse(small.body)["limits"][0]["buckets"], 100);
  EXPECT_GT(verbs.run("limit.list", R"({"buckets":100})", now, 1U << 20).body.size(), 20'000U);
}

}  // namespace
}  // namespace sluice::admin
