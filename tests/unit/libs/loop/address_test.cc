#include "libs/loop/address.h"

#include <gtest/gtest.h>

namespace sluice::loop {
namespace {

TEST(Address, TextIsReadAndWrittenBack) {
  for (const char* text : {"127.0.0.1:4880", "[::1]:4880", "localhost:0", ":4880"}) {
    auto parsed = parse_host_port(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->text(), text);
  }
  EXPECT_EQ(parse_host_port("[::1]:5")->host, "::1");
}

TEST(Address, TheDefaultPortStandsInOnlyWhereNoneIsNamed) {
  EXPECT_EQ(parse_host_port("broker", 4880)->port, 4880);
  EXPECT_EQ(parse_host_port("[::1]", 4880)->text(), "[::1]:4880");
  EXPECT_EQ(parse_host_port("broker:1", 4880)->port, 1);
}

TEST(Address, BadTextIsRefusedWithWhatIsWrong) {
  for (const char* text : {"broker", "broker:", "broker:x", "broker:70000", "broker:-1", "[::1",
                           "[::1]x:1", "::1:80", "tcp://127.0.0.1:80"}) {
    auto parsed = parse_host_port(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, base::ErrorCode::kBadArgument);
    EXPECT_FALSE(parsed.error().detail.empty());
  }
}

}  // namespace
}  // namespace sluice::loop
