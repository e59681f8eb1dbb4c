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

TEST(LimitSpec, HasANameThatNeedsNoQuotes) {
  const auto wrong = [](const std::string& name) {
    LimitSpec spec = valid();
    spec.name = name;
    const base::Status checked = check_limit(spec);
    return checked ? std::string() : checked.error().detail;
  };
  for (const char* name : {"a", "eu-orders", "v1.2_x", "9", "Rehearsal"}) {
    EXPECT_EQ(wrong(name), "");
  }
  const std::string rule =
      "; a name has 1 to 64 letters, digits, '-', '_' and '.', and begins with a letter or a digit";
  EXPECT_EQ(wrong("eu orders"), "the limit's name \"eu orders\" has a space at byte 3" + rule);
  EXPECT_EQ(wrong("--for"), "the limit's name \"--for\" has '-' at byte 1" + rule);
  EXPECT_EQ(wrong("a\"b"), "the limit's name \"a\"b\" has '\"' at byte 2" + rule);
  EXPECT_EQ(wrong("a{b}"), "the limit's name \"a{b}\" has '{' at byte 2" + rule);
  EXPECT_EQ(wrong("\xC3\xBC"),
            "the limit's name \"\xC3\xBC\" has a character that is not allowed "
            "at byte 1" +
                rule);
  EXPECT_EQ(wrong(std::string(65, 'x')), "the limit's name has 65 bytes" + rule);
  EXPECT_EQ(wrong(""), "the limit has no name" + rule);
  EXPECT_EQ(wrong("rehearsal"),
            "\"rehearsal\" is what `explain` calls a rehearsal; take another name");
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
