#include "broker/model/limit_spec.h"

#include <gtest/gtest.h>

namespace sluice::model {
namespace {

LimitSpec valid() {
  LimitSpec spec;
  spec.name = "a";
  spec.messages_per_second = 10;
  return spec;
}

std::string wrong_key(const LimitSpec& spec) {
  std::string_view key = "none";
  return check_limit(spec, &key) ? "" : std::string(key);
}

TEST(LimitSpec, ReadsEveryField) {
  LimitSpec spec;
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"name", "n"},
                                                        {"level", "topic"},
                                                        {"match", "a.>"},
                                                        {"direction", "out"},
                                                        {"messages_per_second", "1000"},
                                                        {"bytes_per_second", "1MiB"},
                                                        {"burst_messages", "5"},
                                                        {"burst_bytes", "2kB"},
                                                        {"enforce", "observe"}}) {
    const base::Status stored = assign_limit_field(spec, key, value);
    ASSERT_TRUE(stored) << key << stored.error().detail;
  }
  EXPECT_EQ(spec, (LimitSpec{"n", LimitLevel::kTopic, "a.>", LimitDirection::kOut, 1000, 1U << 20,
                             5, 2000, LimitEnforce::kObserve}));
  EXPECT_EQ(rate_text(spec), "1000 messages/s and 1MiB/s");
}

TEST(LimitSpec, SaysWhatWouldBeRight) {
  LimitSpec spec;
  EXPECT_EQ(assign_limit_field(spec, "direction", "inwards").error().detail,
            "it must be one of in, out, not \"inwards\"");
  EXPECT_EQ(assign_limit_field(spec, "messages_per_second", "-1").error().detail,
            "it must be a whole number, not \"-1\"");
  EXPECT_FALSE(assign_limit_field(spec, "bytes_per_second", "1 parsec"));
  EXPECT_FALSE(assign_limit_field(spec, "name", "a\nb"));
}

TEST(LimitSpec, HasASecondsWorthOfBurstByDefault) {
  LimitSpec spec = valid();
  EXPECT_EQ(spec.messages_at_once(), 10U);
  spec.burst_messages = 3;
  EXPECT_EQ(spec.messages_at_once(), 3U);
}

TEST(LimitSpec, NamesTheFieldThatMakesNoSense) {
  EXPECT_EQ(wrong_key(valid()), "");
  LimitSpec spec = valid();
  spec.name = "";
  EXPECT_EQ(wrong_key(spec), "name");
  spec = valid();
  spec.messages_per_second = 0;
  EXPECT_EQ(wrong_key(spec), "messages_per_second");
  spec = valid();
  spec.bytes_per_second = 20'000'000'000;
  EXPECT_EQ(wrong_key(spec), "bytes_per_second");
  spec = valid();
  spec.burst_bytes = 5;
  EXPECT_EQ(wrong_key(spec), "burst_bytes") << "without a rate";
  spec = valid();
  spec.burst_messages = 864'001;
  EXPECT_EQ(wrong_key(spec), "burst_messages") << "more than a day's worth";
  spec = valid();
  spec.match = "x";
  EXPECT_EQ(wrong_key(spec), "match") << "of the node";
  spec.level = LimitLevel::kTopic;
  spec.match = "a..b";
  EXPECT_EQ(wrong_key(spec), "match");
  spec = valid();
  spec.level = LimitLevel::kSubscription;
  EXPECT_EQ(wrong_key(spec), "direction");
  spec = valid();
  spec.direction = LimitDirection::kOut;
  spec.enforce = LimitEnforce::kReject;
  EXPECT_EQ(wrong_key(spec), "enforce");
}

}  // namespace
}  // namespace sluice::model
