#include "cli/message_format.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sluice::cli {
namespace {

using namespace std::string_view_literals;

ShownMessage example() {
  ShownMessage message;
  message.topic = "orders.eu";
  message.key = "k1";
  message.payload = "two\nlines";
  message.sequence = 42;
  message.published_at = WallTime(std::chrono::nanoseconds(1'764'032'523'000'000'007));
  message.headers = {{"trace", "abc"}, {"trace", "second"}};
  return message;
}

std::string format(std::string_view text, const ShownMessage& message = example()) {
  const auto parsed = MessageFormat::parse(text);
  if (!parsed) return "error: " + parsed.error().detail;
  std::string out;
  parsed->append(out, message);
  return out;
}

TEST(MessageFormat, TextIsOneLine) { EXPECT_EQ(format("text"), "orders.eu two\\nlines\n"); }

TEST(MessageFormat, RawIsThePayloadAndNothingElse) {
  ShownMessage message;
  message.payload = "\0\xFF\n"sv;
  EXPECT_EQ(format("raw", message), "\0\xFF\n"sv);
}

TEST(MessageFormat, HexNamesTheTopic) {
  EXPECT_EQ(format("hex"), "orders.eu 74776f0a6c696e6573\n");
}

TEST(MessageFormat, JsonHasEverything) {
  ShownMessage message = example();
  message.deadline = message.published_at + std::chrono::seconds(1);
  const auto json = nlohmann::json::parse(format("json", message));
  EXPECT_EQ(json, nlohmann::json::parse(R"({
      "topic": "orders.eu", "sequence": 42, "published_at": "2025-11-25T01:02:03.000000007Z",
      "deadline": "2025-11-25T01:02:04.000000007Z", "key": "k1",
      "headers": [["trace", "abc"], ["trace", "second"]], "payload": "two\nlines"})"));
}

TEST(MessageFormat, JsonLeavesOutWhatThereIsNot) {
  ShownMessage message;
  message.topic = "t";
  message.payload = "\xFF";
  EXPECT_EQ(format("json", message),
            "{\"topic\":\"t\",\"sequence\":0,\"published_at\":\"1970-01-01T00:00:00.000000000Z\","
            "\"payload_base64\":\"/w==\"}\n");
}

TEST(MessageFormat, ATemplateHasEachPart) {
  EXPECT_EQ(format("%t|%p|%l|%k|%s|%{trace}|%{none}|%%"), "orders.eu|two\nlines|9|k1|42|abc||%");
  EXPECT_EQ(format("%x"), "74776f0a6c696e6573");
  EXPECT_EQ(format("%d"), "2025-11-25T01:02:03.000000007Z");
  EXPECT_EQ(format(R"(\n\t\r\0\\\x41)"), "\n\t\r\0\\A"sv);
  EXPECT_EQ(nlohmann::json::parse(format("%j"))["sequence"], 42);
}

TEST(MessageFormat, OnlyTheFormatJsonIsAStreamOfObjects) {
  EXPECT_TRUE(MessageFormat::parse("json")->is_json());
  EXPECT_FALSE(MessageFormat::parse("text")->is_json());
  EXPECT_FALSE(MessageFormat::parse("%j\\n")->is_json());
}

TEST(MessageFormat, MistakesAreShownInTheirPlace) {
  EXPECT_EQ(format("jsn"),
            "error: 'jsn' is no format; did you mean 'json'?; use text, raw, json, "
            "hex or a template such as '%t %p\\n'");
  EXPECT_EQ(format("%t %y"),
            "error: '%y' at character 4: unknown; there are %t %p %x %l %k %s %d "
            "%{name} %j %%");
  EXPECT_EQ(format("a%"),
            "error: '%' at character 2: nothing follows; write %% for a percent sign");
  EXPECT_EQ(format("%{name"),
            "error: '%{name' at character 1: write %{name} for the header 'name'");
  EXPECT_EQ(format("%{}"), "error: '%{}' at character 1: write %{name} for the header 'name'");
  EXPECT_EQ(format("\\q"),
            "error: '\\q' at character 1: unknown; there are \\n \\t \\r \\0 \\\\ "
            "\\xNN");
  EXPECT_EQ(format("\\x4"), "error: '\\x' at character 1: write two hexadecimal digits: \\x1f");
  EXPECT_EQ(format("\\"),
            "error: '\\' at character 1: nothing follows; write \\\\ for a backslash");
}

}  // namespace
}  // namespace sluice::cli
