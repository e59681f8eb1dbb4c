#include "libs/wire/topic_name.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

namespace sluice::wire {
namespace {

using namespace std::string_view_literals;

std::string topic_error(std::string_view topic) {
  const base::Status status = check_topic(topic);
  if (status) return "";
  EXPECT_EQ(base::ErrorCode::kBadTopic, status.error().code);
  return status.error().detail;
}

std::string filter_error(std::string_view filter) {
  const base::Status status = check_filter(filter);
  if (status) return "";
  EXPECT_EQ(base::ErrorCode::kBadFilter, status.error().code);
  return status.error().detail;
}

std::string levels(int count) {
  std::string name = "a";
  for (int i = 1; i < count; ++i) name += ".a";
  return name;
}

TEST(TopicName, TakesTopics) {
  for (const std::string_view topic :
       {"a"sv, "orders.eu.created"sv, "$inbox.0a.1"sv, "größe.naïve"sv, "日本.東京"sv,
        "a-b_c/d+e#f"sv, "\U0001F600"sv, "\u00A0"sv, "\uFFFF"sv, "\U0010FFFF"sv}) {
    EXPECT_EQ("", topic_error(topic)) << topic;
    EXPECT_EQ("", filter_error(topic)) << topic;
  }
  EXPECT_EQ("", topic_error(std::string(255, 'a')));
  EXPECT_EQ("", topic_error(levels(16)));
}

TEST(TopicName, RefusesWithWhatAndWhere) {
  const std::vector<std::pair<std::string_view, const char*>> wrong = {
      {"", "empty at byte 0"},
      {".", "an empty level at byte 0"},
      {"a..b", "an empty level at byte 2"},
      {"a.", "an empty level at byte 2"},
      {".a", "an empty level at byte 0"},
      {"a b", "a space at byte 1"},
      {"ab.c\n", "a control character at byte 4"},
      {"a\0b"sv, "a control character at byte 1"},
      {"a\x7F", "a control character at byte 1"},
      {"a.\u0085", "a control character at byte 2"},
      {"a.\xFF", "not UTF-8 at byte 2"},
      {"\x80", "not UTF-8 at byte 0"},
      {"\xC0\xAF", "not UTF-8 at byte 0"},          // overlong
      {"\xE0\x9F\xBF", "not UTF-8 at byte 0"},      // overlong
      {"\xED\xA0\x80", "not UTF-8 at byte 0"},      // surrogate
      {"\xF0\x8F\xBF\xBF", "not UTF-8 at byte 0"},  // overlong
      {"\xF4\x90\x80\x80", "not UTF-8 at byte 0"},  // past U+10FFFF
      {"\xF5\x80\x80\x80", "not UTF-8 at byte 0"},
      {"\xE6\x97", "not UTF-8 at byte 0"},   // cut off
      {"\xE6.\x97", "not UTF-8 at byte 0"},  // cut off by a dot
  };
  for (const auto& [name, error] : wrong) {
    EXPECT_EQ(error, topic_error(name)) << name;
    EXPECT_EQ(error, filter_error(name)) << name;
  }
  EXPECT_EQ("longer than 255 bytes at byte 255", topic_error(std::string(256, 'a')));
  EXPECT_EQ("more than 16 levels at byte 32", topic_error(levels(17)));
  EXPECT_EQ("more than 16 levels at byte 32", filter_error(levels(16) + ".>"));
}

TEST(TopicName, WildcardsAreForFiltersAlone) {
  EXPECT_EQ("a wildcard in a topic at byte 2", topic_error("a.*"));
  EXPECT_EQ("a wildcard in a topic at byte 0", topic_error(">"));
  EXPECT_EQ("a wildcard in a topic at byte 3", topic_error("a.b>"));
  for (const char* filter : {"*", ">", "a.*", "*.b", "a.>", "*.*.>", "$inbox.>", "$a.*"}) {
    EXPECT_EQ("", filter_error(filter)) << filter;
  }
  EXPECT_EQ("'>' before the last level at byte 0", filter_error(">.a"));
  EXPECT_EQ("a wildcard that is not a whole level at byte 1", filter_error("a*"));
  EXPECT_EQ("a wildcard that is not a whole level at byte 2", filter_error("a.*b.c"));
  EXPECT_EQ("a wildcard that is not a whole level at byte 2", filter_error("a.>>"));
}

struct MatchRow {
  const char* filter;
  const char* topic;
  bool matches;
};

TEST(TopicName, FiltersMatchAsDocumented) {
  const std::vector<MatchRow> rows = {
      {"a.b", "a.b", true},       {"a.b", "a.c", false},      {"a.b", "a", false},
      {"a", "a.b", false},        {"*", "a", true},           {"*", "a.b", false},
      {"a.*", "a.b", true},       {"a.*", "a", false},        {"a.*", "a.b.c", false},
      {"*.b", "a.b", true},       {"a.*.c", "a.b.c", true},   {"a.*.c", "a.b.d", false},
      {">", "a", true},           {">", "a.b.c", true},       {"a.>", "a", false},
      {"a.>", "a.b", true},       {"a.>", "a.b.c.d", true},   {"a.>", "b.c", false},
      {"*.>", "a", false},        {"*.>", "a.b", true},       {">", "$sys.a", false},
      {"*.a", "$sys.a", false},   {"$sys.a", "$sys.a", true}, {"$sys.*", "$sys.a", true},
      {"$sys.>", "$sys.a", true}, {"$sys.>", "$sys", false},  {"a.*", "a.$b", true},
      {"ab.c", "a.bc", false},    {"a.b", "a.bc", false},     {"$a", "$ab", false},
  };
  for (const MatchRow& row : rows) {
    ASSERT_TRUE(check_filter(row.filter) && check_topic(row.topic));
    EXPECT_EQ(row.matches, filter_matches(row.filter, row.topic)) << row.filter << " " << row.topic;
  }
}

TEST(TopicName, LevelsAreTakenOneByOne) {
  std::string_view rest = "a.bc.d";
  EXPECT_EQ("a", take_level(rest));
  EXPECT_EQ("bc", take_level(rest));
  EXPECT_EQ("d", rest);
  EXPECT_EQ("d", take_level(rest));
  EXPECT_TRUE(rest.empty());
}

}  // namespace
}  // namespace sluice::wire
