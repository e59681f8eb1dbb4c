#include "libs/base/result.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sluice::base {
namespace {

const std::vector<ErrorCode> kAll = {
#define X(name, number, class_, text, remedy) ErrorCode::name,
#include "libs/base/errors.def"
#undef X
};

bool is_printable_word(std::string_view name) {
  return !name.empty() && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
}

TEST(ErrorTable, Numbers_Are_Unique_And_Zero_Is_Kept_For_None) {
  std::set<ErrorCode> numbers(kAll.begin(), kAll.end());
  EXPECT_EQ(numbers.size(), kAll.size());
  EXPECT_EQ(numbers.count(ErrorCode::kNone), 0U);
}

TEST(ErrorTable, Names_Are_Unique_Words_With_Dashes) {
  std::set<std::string_view> names;
  for (const ErrorCode code : kAll) {
    const std::string_view name = error_info(code).name;
    EXPECT_TRUE(is_printable_word(name)) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(ErrorTable, Each_Row_Says_What_Happened_And_What_To_Do) {
  for (const ErrorCode code : kAll) {
    const ErrorInfo& row = error_info(code);
    EXPECT_EQ(row.code, code);
    EXPECT_FALSE(row.text.empty()) << row.name;
    EXPECT_FALSE(row.remedy.empty()) << row.name;
    for (const std::string_view sentence : {row.text, row.remedy}) {
      EXPECT_NE(sentence.back(), '.') << row.name << ": joined by ';', so without a full stop";
      EXPECT_FALSE(sentence.front() >= 'A' && sentence.front() <= 'Z') << row.name;
    }
  }
}

TEST(ErrorTable, Numbers_On_The_Wire_Stay_What_They_Were) {
  const std::map<ErrorCode, int> frozen = {
      {ErrorCode::kBadMagic, 1},       {ErrorCode::kBadFrame, 3},
      {ErrorCode::kBadChecksum, 9},    {ErrorCode::kBadTopic, 100},
      {ErrorCode::kQueueFull, 200},    {ErrorCode::kNoResponders, 203},
      {ErrorCode::kSlowConsumer, 205}, {ErrorCode::kDraining, 210},
      {ErrorCode::kTimeout, 302},      {ErrorCode::kInternal, 900},
  };
  for (const auto& [code, number] : frozen) EXPECT_EQ(static_cast<int>(code), number);
}

TEST(ErrorTable, Is_Found_By_Name_And_By_Number) {
  for (const ErrorCode code : kAll) {
    const ErrorInfo& row = error_info(code);
    EXPECT_EQ(find_error(row.name), &row);
    EXPECT_EQ(find_error(std::to_string(static_cast<int>(code))), &row);
    EXPECT_TRUE(is_error_code(static_cast<std::uint16_t>(code)));
  }
  EXPECT_EQ(find_error("queue-full")->code, ErrorCode::kQueueFull);
}

TEST(ErrorTable, Finds_Nothing_For_What_Is_In_No_Row) {
  for (const char* text : {"", "0", "no-such-error", "queue_full", "QUEUE-FULL", "200 ", " 200",
                           "+200", "-200", "200x", "65536", "99999999999", "8999"}) {
    EXPECT_EQ(find_error(text), nullptr) << '"' << text << '"';
  }
}

TEST(ErrorTable, A_Number_Of_No_Row_Is_Shown_As_Internal) {
  EXPECT_FALSE(is_error_code(0));
  EXPECT_FALSE(is_error_code(std::numeric_limits<std::uint16_t>::max()));
  EXPECT_EQ(error_info(ErrorCode::kNone).code, ErrorCode::kInternal);
  EXPECT_EQ(error_info(static_cast<ErrorCode>(65535)).code, ErrorCode::kInternal);
}

TEST(Error, Message_Says_Which_What_Where_And_What_To_Do) {
  const Error with_detail{ErrorCode::kBadTopic, "\"a b\""};
  EXPECT_EQ(with_detail.message(),
            "bad-topic: not a valid topic (\"a b\"); use 1 to 255 bytes, at most 16 levels, no "
            "spaces, control characters, '*' or '>'");
  const Error without{ErrorCode::kConnectionLost, ""};
  EXPECT_EQ(without.message(), "connection-lost: the connection was lost; reconnect");
}

TEST(Error, Class_Says_What_The_Receiver_Can_Do) {
  EXPECT_EQ(error_info(ErrorCode::kQueueFull).error_class, ErrorClass::retry);
  EXPECT_EQ(error_info(ErrorCode::kBadTopic).error_class, ErrorClass::fatal);
  EXPECT_EQ(error_info(ErrorCode::kBadChecksum).error_class, ErrorClass::close);
}

Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorCode::kBadArgument, std::to_string(value) + " is odd");
  return value / 2;
}

Result<std::string> half_in_words(int value) {
  auto result = half(value);
  if (!result) return fail(std::move(result.error()));
  return "half is " + std::to_string(*result);
}

TEST(Result, Carries_A_Value_Or_An_Error_And_Passes_The_Error_On) {
  EXPECT_EQ(half_in_words(8).value(), "half is 4");
  const Result<std::string> failed = half_in_words(3);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::kBadArgument);
  EXPECT_EQ(failed.error().detail, "3 is odd");
}

TEST(Result, Status_Is_A_Result_Of_Nothing) {
  const Status good{};
  EXPECT_TRUE(good.has_value());
  const Status bad = fail(ErrorCode::kClosed);
  EXPECT_EQ(bad.error().code, ErrorCode::kClosed);
  EXPECT_TRUE(bad.error().detail.empty());
}

}  // namespace
}  // namespace sluice::base
