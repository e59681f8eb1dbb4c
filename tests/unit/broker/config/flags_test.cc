#include "broker/config/flags.h"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

std::string error_of(const std::vector<std::string>& arguments) {
  const auto flags = parse_flags(arguments);
  return flags ? "none" : flags.error().detail;
}

TEST(Flags, Nothing_means_nothing) {
  const auto flags = parse_flags({});
  ASSERT_TRUE(flags);
  EXPECT_FALSE(flags->config);
  EXPECT_TRUE(flags->values.empty());
  EXPECT_FALSE(flags->check_config || flags->version || flags->help);
}

TEST(Flags, Values_stand_behind_a_space_or_an_equals_sign) {
  const auto flags = parse_flags({"--config", "b.toml", "--shards=4", "--listen", "127.0.0.1:0",
                                  "--http=[::1]:0", "--data-dir", "/d", "--check-config"});
  ASSERT_TRUE(flags);
  EXPECT_EQ(flags->config, "b.toml");
  EXPECT_TRUE(flags->check_config);
  ASSERT_EQ(flags->values.size(), 4U);
  EXPECT_EQ(flags->values[0].setting, "node.shards");
  EXPECT_EQ(flags->values[0].text, "4");
  EXPECT_EQ(flags->values[0].flag, "--shards");
  EXPECT_EQ(flags->values[1].setting, "listen.native");
  EXPECT_EQ(flags->values[2].text, "[::1]:0");
  EXPECT_EQ(flags->values[3].setting, "node.data_dir");
}

TEST(Flags, Mistakes_are_named) {
  EXPECT_EQ(error_of({"--shard", "4"}), "unknown flag --shard; did you mean \"--shards\"?");
  EXPECT_EQ(error_of({"--colour"}), "unknown flag --colour");
  EXPECT_EQ(error_of({"--shards"}), "--shards needs a value: --shards N");
  EXPECT_EQ(error_of({"--config="}), "--config has an empty value");
  EXPECT_EQ(error_of({"--version=1"}), "--version takes no value");
  EXPECT_EQ(error_of({"start"}), "\"start\" is not a flag; sluiced takes flags only, see --help");
}

TEST(Flags, Help_names_every_flag) {
  for (const char* flag : {"--config FILE", "--listen HOST:PORT", "--http HOST:PORT",
                           "--data-dir DIR", "--shards N", "--check-config", "--version"}) {
    EXPECT_NE(flags_help().find(flag), std::string::npos) << flag;
  }
  EXPECT_TRUE(parse_flags({"-h"})->help);
  EXPECT_TRUE(parse_flags({"--version"})->version);
}

}  // namespace
}  // namespace sluice::config
