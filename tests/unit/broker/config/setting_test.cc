#include "broker/config/setting.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using Texts = std::vector<std::string>;

class SettingTest : public testing::Test {
 protected:
  const Setting& setting(std::string_view name) {
    return *std::find_if(all_.begin(), all_.end(),
                         [&](const Setting& candidate) { return candidate.name() == name; });
  }
  std::string error(std::string_view name, const Given& given) {
    const auto status = assign(setting(name), given);
    return status ? "none" : status.error().detail;
  }
  std::string text_error(std::string_view name, std::string_view text) {
    const auto status = assign_text(setting(name), text);
    return status ? "none" : status.error().detail;
  }

  Settings settings_;
  std::vector<Setting> all_ = bind(settings_);
};

TEST_F(SettingTest, Sizes_have_units_or_are_bytes) {
  EXPECT_EQ(error("node.memory_budget", std::string("64MiB")), "none");
  EXPECT_EQ(settings_.node.memory_budget, mib(64));
  EXPECT_EQ(error("node.memory_budget", std::int64_t{134217728}), "none");
  EXPECT_EQ(settings_.node.memory_budget, mib(128));
}

TEST_F(SettingTest, Durations_need_a_unit) {
  EXPECT_EQ(error("drain.deadline", std::string("250ms")), "none");
  EXPECT_EQ(settings_.drain.deadline, std::chrono::milliseconds(250));
  EXPECT_EQ(error("drain.deadline", std::int64_t{5}),
            "it must be a duration in quotes like \"250ms\"");
  EXPECT_EQ(settings_.drain.deadline, std::chrono::milliseconds(250));
}

TEST_F(SettingTest, Bounds_are_inclusive_and_named_in_their_own_unit) {
  EXPECT_EQ(error("connection.max_frame", std::string("64KiB")), "none");
  EXPECT_EQ(error("connection.max_frame", std::string("64MiB")), "none");
  EXPECT_EQ(error("connection.max_frame", std::string("65535")),
            "it must be between 64KiB and 64MiB, not 65535B");
  EXPECT_EQ(error("node.shards", std::int64_t{65}), "it must be between 0 and 64, not 65");
  EXPECT_EQ(error("node.shards", std::int64_t{-1}), "it must not be negative");
  EXPECT_EQ(error("drain.deadline", std::string("2h")), "it must be between 0s and 1h, not 2h");
  EXPECT_EQ(settings_.connection.max_frame, mib(64));
}

TEST_F(SettingTest, A_choice_takes_its_words_only) {
  EXPECT_EQ(error("log.level", std::string("warn")), "none");
  EXPECT_EQ(settings_.log.level, "warn");
  EXPECT_EQ(error("log.level", std::string("wran")),
            "it must be one of \"debug\", \"info\", \"warn\", \"error\", not \"wran\"; did you "
            "mean \"warn\"?");
}

TEST_F(SettingTest, A_list_has_entries_that_are_not_empty) {
  EXPECT_EQ(error("subscription.overflow", Texts{"block:50ms", "drop_newest"}), "none");
  EXPECT_EQ(settings_.subscription.overflow, (List{"block:50ms", "drop_newest"}));
  EXPECT_EQ(error("subscription.overflow", Texts{}),
            "the number of its entries must be between 1 and 8, not 0");
  EXPECT_EQ(error("subscription.overflow", Texts{"block", ""}), "an entry is empty");
}

TEST_F(SettingTest, Values_of_another_type_say_what_was_expected) {
  EXPECT_EQ(error("listen.native", std::int64_t{4880}), "it must be a text in quotes");
  EXPECT_EQ(error("listen.allow_unauthenticated", std::string("yes")),
            "it must be true or false, not \"yes\"");
  EXPECT_EQ(error("node.shards", std::string("4")), "it must be a whole number, not \"4\"");
  EXPECT_EQ(error("node.shards", std::monostate{}), "it must be a whole number");
  EXPECT_TRUE(error("node.memory_budget", std::string("64 lots"))
                  .starts_with("\"64 lots\" is not a size; write for example"));
}

TEST_F(SettingTest, Text_is_read_by_kind) {
  EXPECT_EQ(text_error("listen.allow_unauthenticated", "true"), "none");
  EXPECT_TRUE(settings_.listen.allow_unauthenticated);
  EXPECT_EQ(text_error("node.shards", "4"), "none");
  EXPECT_EQ(settings_.node.shards, 4U);
  EXPECT_EQ(text_error("node.shards", "4x"), "it must be a whole number, not \"4x\"");
  EXPECT_EQ(text_error("node.shards", "99999999999999999999"),
            "it must be a whole number, not \"99999999999999999999\"");
  EXPECT_EQ(text_error("subscription.overflow", "block:50ms,reject"), "none");
  EXPECT_EQ(settings_.subscription.overflow, (List{"block:50ms", "reject"}));
}

TEST_F(SettingTest, Texts_hold_no_control_characters_and_have_a_length) {
  EXPECT_EQ(error("listen.native", std::string("a\nb")), "it must not contain control characters");
  EXPECT_EQ(error("listen.native", std::string()),
            "its length in bytes must be between 1 and 255, not 0");
}

TEST_F(SettingTest, The_variable_is_spelt_from_table_and_key) {
  EXPECT_EQ(setting("connection.max_frame").variable(), "SLUICE_CONNECTION_MAX_FRAME");
}

TEST_F(SettingTest, Values_are_shown_as_broker_toml_has_them) {
  EXPECT_EQ(format_value(setting("node.memory_budget")), "\"1GiB\"");
  EXPECT_EQ(format_value(setting("node.shards")), "0");
  EXPECT_EQ(format_value(setting("drain.deadline")), "\"5s\"");
  EXPECT_EQ(format_value(setting("listen.allow_unauthenticated")), "false");
  EXPECT_EQ(format_value(setting("subscription.overflow")), "[\"drop_oldest\"]");
}

}  // namespace
}  // namespace sluice::config
