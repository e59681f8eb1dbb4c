#include "broker/log/line.h"

#include <gtest/gtest.h>
#include <limits>

#include "libs/base/strong_id.h"

namespace sluice::log {
namespace {

using ThingId = base::StrongId<struct ThingTag, std::uint64_t>;

std::string text_of(const Field& field) { return text_line(Level::kInfo, "e", {field}).substr(19); }
std::string json_of(const Field& field) { return json_line(Level::kInfo, "e", {field}).substr(27); }

TEST(Line, Has_level_event_and_fields_in_order) {
  EXPECT_EQ(text_line(Level::kWarn, "slow consumer", {{"session", 12}, {"open", true}}),
            "level=warn event=\"slow consumer\" session=12 open=true");
  EXPECT_EQ(json_line(Level::kError, "listening", {{"port", 4880}, {"host", "::1"}}),
            R"("level":"error","event":"listening","port":4880,"host":"::1")");
  EXPECT_EQ(text_line(Level::kDebug, "started", {}), "level=debug event=started");
}

TEST(Line, Every_kind_of_value_is_written) {
  EXPECT_EQ(text_of({"v", -1}), "v=-1");
  EXPECT_EQ(text_of({"v", std::numeric_limits<std::uint64_t>::max()}), "v=18446744073709551615");
  EXPECT_EQ(text_of({"v", 0.5}), "v=0.5");
  EXPECT_EQ(text_of({"v", std::chrono::milliseconds(250)}), "v=250ms");
  EXPECT_EQ(text_of({"v", std::chrono::milliseconds(-250)}), "v=-250ms");
  EXPECT_EQ(text_of({"v", ThingId(7)}), "v=7");
  EXPECT_EQ(text_of({"v", std::string("a")}), "v=a");
  EXPECT_EQ(json_of({"v", std::chrono::seconds(90)}), R"("v":"1m30s")");
  EXPECT_EQ(json_of({"v", false}), R"("v":false)");
  EXPECT_EQ(json_of({"v", std::numeric_limits<double>::infinity()}), R"("v":null)");
}

TEST(Line, Text_is_quoted_when_it_could_be_misread) {
  EXPECT_EQ(text_of({"v", ""}), R"(v="")");
  EXPECT_EQ(text_of({"v", "a b"}), R"(v="a b")");
  EXPECT_EQ(text_of({"v", "a=b"}), R"(v="a=b")");
  EXPECT_EQ(text_of({"v", R"(say "x")"}), R"(v="say \"x\"")");
  EXPECT_EQ(text_of({"v", R"(a\b)"}), R"(v="a\\b")");
}

TEST(Line, No_byte_breaks_the_line) {
  EXPECT_EQ(text_of({"v", "a\nlevel=error"}), R"(v="a\nlevel=error")");
  EXPECT_EQ(text_of({"v", "\x1b[2J"}), R"(v="\u001b[2J")");
  EXPECT_EQ(json_of({"v", std::string("\0\x7f", 2)}), R"("v":"\u0000\u007f")");
  EXPECT_EQ(json_of({"v", "ä€😀"}), R"("v":"ä€😀")");
}

TEST(Line, Bytes_that_are_not_utf8_are_replaced_one_by_one) {
  const std::string kReplaced = "\xEF\xBF\xBD";
  EXPECT_EQ(json_of({"v", "\xff"}), "\"v\":\"" + kReplaced + "\"");
  EXPECT_EQ(json_of({"v", "\xc0\xaf"}), "\"v\":\"" + kReplaced + kReplaced + "\"") << "overlong";
  EXPECT_EQ(json_of({"v", "\xed\xa0\x80"}), "\"v\":\"" + kReplaced + kReplaced + kReplaced + "\"")
      << "surrogate";
  EXPECT_EQ(json_of({"v", "\xe2\x82"}), "\"v\":\"" + kReplaced + kReplaced + "\"") << "cut off";
  EXPECT_EQ(json_of({"v", "\xf5\x80\x80\x80x"}).back(), '"');
}

TEST(Line, Long_values_are_cut_between_characters) {
  const std::string line = text_of({"v", std::string(1023, 'a') + "€€€"});
  EXPECT_EQ(line, "v=\"" + std::string(1023, 'a') + "…\"");
  EXPECT_EQ(text_of({"v", std::string(1024, 'a')}), "v=" + std::string(1024, 'a'));
}

}  // namespace
}  // namespace sluice::log
