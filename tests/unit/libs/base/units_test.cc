#include "libs/base/units.h"

#include <gtest/gtest.h>
#include <limits>

#include "libs/base/random.h"

namespace sluice::base {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();

struct SizeRow {
  const char* text;
  std::uint64_t bytes;
};

TEST(ParseSize, Reads_What_People_Write) {
  for (const SizeRow& row : {
           SizeRow{"0", 0},
           SizeRow{"4096", 4096},
           SizeRow{"17B", 17},
           SizeRow{"64KiB", 64 << 10},
           SizeRow{"64MiB", 64 << 20},
           SizeRow{"2GiB", std::uint64_t{2} << 30},
           SizeRow{"3TiB", std::uint64_t{3} << 40},
           SizeRow{"1kB", 1000},
           SizeRow{"1KB", 1000},
           SizeRow{"1.5GB", 1'500'000'000},
           SizeRow{"1.5KiB", 1536},
           SizeRow{"1.50KiB", 1536},
           SizeRow{"0.25MiB", 262'144},
           SizeRow{"1.0B", 1},
           SizeRow{"0.000000001GB", 1},
           SizeRow{"9223372036854775807", kMax},
           SizeRow{"8388607.5TiB", kMax - (std::uint64_t{1} << 39) + 1},
           SizeRow{"007", 7},
       }) {
    const auto bytes = parse_size(row.text);
    ASSERT_TRUE(bytes) << row.text << ": " << bytes.error().detail;
    EXPECT_EQ(*bytes, row.bytes) << row.text;
  }
}

TEST(ParseSize, Refuses_What_Is_Not_A_Size) {
  for (const char* text : {"",
                           " ",
                           "B",
                           "MiB",
                           "-1",
                           "-1MiB",
                           "+1",
                           "+1MiB",
                           " 1MiB",
                           "1MiB ",
                           "1 MiB",
                           "1mib",
                           "1Mib",
                           "1MIB",
                           "1M",
                           "1K",
                           "1.MiB",
                           ".5MiB",
                           "1.5",
                           "1..5MiB",
                           "1.5.5MiB",
                           "1MiB2KiB",
                           "1MiB2",
                           "0x10",
                           "1e3",
                           "1,5GB",
                           "1.-5MiB",
                           "1.+5MiB",
                           "1.1234567890GB",
                           "1PB",
                           "\xff"}) {
    const auto bytes = parse_size(text);
    ASSERT_FALSE(bytes) << text << " was read as " << *bytes;
    EXPECT_EQ(bytes.error().code, ErrorCode::kBadArgument);
    EXPECT_NE(bytes.error().detail.find("is not a size; write for example"), std::string::npos)
        << bytes.error().detail;
  }
}

TEST(ParseSize, Refuses_Fractions_Of_A_Byte) {
  for (const char* text : {"0.5B", "0.05B", "1.0005B", "0.1KiB", "1.00001KiB", "1.05KiB",
                           "0.0001kB", "0.123456789TiB"}) {
    const auto bytes = parse_size(text);
    ASSERT_FALSE(bytes) << text << " was read as " << *bytes;
    EXPECT_NE(bytes.error().detail.find("whole number"), std::string::npos);
  }
}

TEST(ParseSize, Refuses_What_Does_Not_Fit) {
  for (const char* text :
       {"9223372036854775808", "18446744073709551616", "99999999999999999999999MiB", "8388608TiB",
        "9223373TB", "9223372.9TB"}) {
    const auto bytes = parse_size(text);
    ASSERT_FALSE(bytes) << text << " was read as " << *bytes;
    EXPECT_NE(bytes.error().detail.find("is too large"), std::string::npos) << text;
  }
}

struct DurationRow {
  const char* text;
  Duration duration;
};

TEST(ParseDuration, Reads_What_People_Write) {
  for (const DurationRow& row : {
           DurationRow{"0", Duration(0)},
           DurationRow{"0s", Duration(0)},
           DurationRow{"7ns", Duration(7)},
           DurationRow{"3us", Duration(3000)},
           DurationRow{"250ms", milliseconds(250)},
           DurationRow{"5s", seconds(5)},
           DurationRow{"1.5s", milliseconds(1500)},
           DurationRow{"1m30s", seconds(90)},
           DurationRow{"2d", hours(48)},
           DurationRow{"1h0.5m", minutes(60) + seconds(30)},
           DurationRow{"1d2h3m4s5ms6us7ns",
                       hours(26) + minutes(3) + seconds(4) + milliseconds(5) + Duration(6007)},
           DurationRow{"9223372036854775807ns", Duration::max()},
       }) {
    const auto duration = parse_duration(row.text);
    ASSERT_TRUE(duration) << row.text << ": " << duration.error().detail;
    EXPECT_EQ(*duration, row.duration) << row.text;
  }
}

TEST(ParseDuration, Refuses_What_Is_Not_A_Duration) {
  for (const char* text : {"",    "s",      "5",    "00",   "-5s",    "+5s",      " 5s",   "5s ",
                           "5 s", "5S",     "5sec", "1m30", "30s1m",  "1s1s",     "1ms1s", "1.s",
                           ".5s", "1.5.5s", "1w",   "1y",   "5s-1ms", "\xc2\xb5s"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text << " was read as " << duration->count();
    EXPECT_EQ(duration.error().code, ErrorCode::kBadArgument);
    EXPECT_NE(duration.error().detail.find("is not a duration; write for example"),
              std::string::npos)
        << duration.error().detail;
  }
}

TEST(ParseDuration, Refuses_Fractions_Of_A_Nanosecond_And_What_Does_Not_Fit) {
  EXPECT_NE(parse_duration("1.05ns").error().detail.find("whole number"), std::string::npos);
  EXPECT_NE(parse_duration("1.0000001us").error().detail.find("whole number"), std::string::npos);
  for (const char* text : {"9223372036854775808ns", "106752d", "99999999999999999999s",
                           "106751d23h47m16s854ms775us808ns"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text << " was read as " << duration->count();
    EXPECT_NE(duration.error().detail.find("is too large"), std::string::npos) << text;
  }
}

TEST(FormatSize, Is_The_Shortest_Exact_Form) {
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_size(1500), "1500B");
  EXPECT_EQ(format_size(67'108'864), "64MiB");
  EXPECT_EQ(format_size(1025), "1025B");
  EXPECT_EQ(format_size(std::uint64_t{1} << 40), "1TiB");
}

TEST(FormatDuration, Is_The_Shortest_Exact_Form) {
  EXPECT_EQ(format_duration(Duration(0)), "0s");
  EXPECT_EQ(format_duration(seconds(90)), "1m30s");
  EXPECT_EQ(format_duration(milliseconds(250)), "250ms");
  EXPECT_EQ(format_duration(hours(25) + Duration(1)), "1d1h1ns");
  EXPECT_EQ(format_duration(-seconds(90)), "-1m30s");
  EXPECT_EQ(format_duration(Duration::min()), "-106751d23h47m16s854ms775us808ns");
}

// A value with as many significant bits as likely as any other, so that small ones occur too.
std::uint64_t any_value(Random& random) { return random.next() >> (1 + random.below(63)); }

TEST(Units, What_Is_Printed_Is_Read_Back_As_The_Same_Value) {
  Random random(2026);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t value = any_value(random) << random.below(2) * 10 & kMax;
    const std::string size = format_size(value);
    ASSERT_EQ(parse_size(size).value_or(~std::uint64_t{0}), value) << size;
    const Duration duration(static_cast<std::int64_t>(value));
    const std::string text = format_duration(duration);
    ASSERT_EQ(parse_duration(text).value_or(Duration(-1)), duration) << text;
  }
}

TEST(Units, No_Text_Is_Read_As_More_Than_Fits) {
  constexpr std::string_view kAlphabet = "0123456789.dhmsunKMGTiB-+ ";
  Random random(2027);
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (std::uint64_t length = random.below(24); length > 0; --length) {
      text += kAlphabet[random.below(kAlphabet.size())];
    }
    const auto size = parse_size(text);
    ASSERT_TRUE(!size || *size <= kMax) << text;
    const auto duration = parse_duration(text);
    ASSERT_TRUE(!duration || *duration >= Duration(0)) << text;
  }
}

TEST(HumanSize, Rounds_To_Three_Figures) {
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(1023), "1023 B");
  EXPECT_EQ(human_size(1023.7), "1.00 KiB");
  EXPECT_EQ(human_size(1536), "1.50 KiB");
  EXPECT_EQ(human_size(67'000'000), "63.9 MiB");
  EXPECT_EQ(human_size(1'048'575), "1.00 MiB");
  EXPECT_EQ(human_size(5e15), "4547 TiB");
}

TEST(HumanDuration, Rounds_To_Three_Figures) {
  EXPECT_EQ(human_duration(Duration(0)), "0 ns");
  EXPECT_EQ(human_duration(Duration(999)), "999 ns");
  EXPECT_EQ(human_duration(Duration(12'340'000)), "12.3 ms");
  EXPECT_EQ(human_duration(Duration(999'999)), "1.00 ms");
  EXPECT_EQ(human_duration(hours(2)), "7200 s");
  EXPECT_EQ(human_duration(-milliseconds(1500)), "-1.50 s");
}

}  // namespace
}  // namespace sluice::base
