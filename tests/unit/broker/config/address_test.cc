#include "broker/config/address.h"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

TEST(Address, Reads_both_families) {
  const auto four = parse_address("127.0.0.1:4880");
  ASSERT_TRUE(four);
  EXPECT_EQ(four->host, "127.0.0.1");
  EXPECT_EQ(four->port, 4880);
  EXPECT_TRUE(four->loopback);
  const auto six = parse_address("[::1]:0");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "::1");
  EXPECT_TRUE(six->loopback);
  EXPECT_EQ(six->text(), "[::1]:0");
}

TEST(Address, Localhost_is_127_0_0_1) {
  const auto address = parse_address("localhost:80");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->text(), "127.0.0.1:80");
}

TEST(Address, Tells_loopback_from_the_rest) {
  EXPECT_TRUE(parse_address("127.9.9.9:1")->loopback);
  EXPECT_FALSE(parse_address("0.0.0.0:1")->loopback);
  EXPECT_FALSE(parse_address("[::]:1")->loopback);
  EXPECT_FALSE(parse_address("[::ffff:127.0.0.1]:1")->loopback) << "not loopback by its family";
  EXPECT_FALSE(parse_address("10.0.0.1:1")->loopback);
}

TEST(Address, Refuses_everything_else) {
  for (const char* text : {"", "4880", ":4880", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                           "127.0.0.1:-1", "127.0.0.1:48x", "::1:4880", "[127.0.0.1]:1", "[]:1",
                           "example.org:1", "127.0.0.1.:1", "[::1:1"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::config
