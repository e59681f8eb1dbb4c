#include "cli/json_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sluice::cli {
namespace {

using namespace std::string_view_literals;

TEST(JsonText, Utf8IsToldFromWhatIsNot) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("größe \xE2\x82\xAC \xF0\x9F\x98\x80"));
  EXPECT_TRUE(is_utf8("\0"sv));
  EXPECT_FALSE(is_utf8("\xFF"));
  EXPECT_FALSE(is_utf8("\xC0\x80")) << "overlong";
  EXPECT_FALSE(is_utf8("\xE0\x9F\xBF")) << "overlong";
  EXPECT_FALSE(is_utf8("\xED\xA0\x80")) << "surrogate";
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80")) << "above U+10FFFF";
  EXPECT_FALSE(is_utf8("\xE2\x82")) << "cut short";
  EXPECT_FALSE(is_utf8("\x80")) << "continuation alone";
}

TEST(JsonText, AParserReadsBackWhatWasWritten) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "größe \xF0\x9F\x98\x80";
  std::string out;
  append_json_string(out, all);
  EXPECT_EQ(nlohmann::json::parse(out).get<std::string>(), all);
}

TEST(JsonText, BytesThatAreNotUtf8GoAsBase64) {
  std::string out = "{";
  append_json_bytes(out, "payload", "text");
  out += ',';
  append_json_bytes(out, "key", "\xFF\x00\x01"sv);
  out += '}';
  EXPECT_EQ(out, R"({"payload":"text","key_base64":"/wAB"})");
}

TEST(JsonText, LossyTextStaysValid) {
  std::string out;
  append_json_lossy(out, "a\xFFz");
  EXPECT_EQ(out, "\"a\xEF\xBF\xBDz\"");
}

TEST(JsonText, Base64HasTheExamplesOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(JsonText, EscapedTextStaysOnOneLineAndHarmsNoTerminal) {
  std::string out;
  append_escaped(out, "a\n\t\r\\ \x1B[31m \x7F \xFF ü \xC2\x9B z\0"sv);
  EXPECT_EQ(out, R"(a\n\t\r\\ \x1b[31m \x7f \xff ü \xc2\x9b z\x00)");
}

}  // namespace
}  // namespace sluice::cli
