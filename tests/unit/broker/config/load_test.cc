#include "broker/config/load.h"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <regex>
#include <string>
#include <unistd.h>

#include "broker/config/setting.h"

namespace sluice::config {
namespace {

using base::ErrorCode;

class LoadTest : public testing::Test {
 protected:
  LoadTest() { inputs_.environment["HOME"] = "/home/me"; }
  ~LoadTest() override { std::remove(path_.c_str()); }

  void file(const std::string& text) {
    std::ofstream(path_) << text;
    inputs_.file = path_;
  }
  /// The problems, with the path of the file shortened to "f".
  std::string problems() {
    std::string text = load(inputs_).problems_text();
    for (auto at = text.find(path_); at != std::string::npos; at = text.find(path_)) {
      text.replace(at, path_.size(), "f");
    }
    return text;
  }

  std::string path_ = testing::TempDir() + "load_test." + std::to_string(getpid()) + ".toml";
  Inputs inputs_;
};

TEST_F(LoadTest, Defaults_work_with_no_file) {
  inputs_.cores = 2;
  const Loaded loaded = load(inputs_);
  EXPECT_TRUE(loaded.ok()) << loaded.problems_text();
  EXPECT_EQ(loaded.settings.node.shards, 2U);
  EXPECT_EQ(loaded.settings.node.data_dir, "/home/me/.local/state/sluice");
  EXPECT_TRUE(loaded.plan.fits());
}

TEST_F(LoadTest, Automatic_shards_stop_at_sixteen) {
  inputs_.cores = 128;
  EXPECT_EQ(load(inputs_).settings.node.shards, 16U);
  inputs_.cores = 0;
  EXPECT_EQ(load(inputs_).settings.node.shards, 1U);
}

TEST_F(LoadTest, The_data_directory_follows_the_environment) {
  inputs_.environment["XDG_STATE_HOME"] = "/state";
  EXPECT_EQ(load(inputs_).settings.node.data_dir, "/state/sluice");
  inputs_.environment["STATE_DIRECTORY"] = "/var/lib/a:/var/lib/b";
  EXPECT_EQ(load(inputs_).settings.node.data_dir, "/var/lib/a");
  inputs_.environment.clear();
  EXPECT_EQ(load(inputs_).settings.node.data_dir, "/var/lib/sluice");
}

TEST_F(LoadTest, Flags_override_environment_overrides_file_overrides_default) {
  file("[node]\nshards = 2\n[drain]\ndeadline = \"1s\"\n[log]\nlevel = \"warn\"\n");
  inputs_.environment["SLUICE_NODE_SHARDS"] = "3";
  inputs_.environment["SLUICE_DRAIN_DEADLINE"] = "2s";
  inputs_.flags = {{"node.shards", "--shards", "4"}};
  const Loaded loaded = load(inputs_);
  ASSERT_TRUE(loaded.ok()) << loaded.problems_text();
  EXPECT_EQ(loaded.settings.node.shards, 4U);
  EXPECT_EQ(loaded.settings.drain.deadline, seconds(2));
  EXPECT_EQ(loaded.settings.log.level, "warn");
  EXPECT_EQ(loaded.settings.log.format, "text");
}

TEST_F(LoadTest, All_problems_are_found_at_once) {
  file(
      "[node]\n"
      "shard = 4\n"
      "memory_budget = \"1GB\"\n"
      "[lisen]\n"
      "native = \"127.0.0.1:1\"\n"
      "[drain]\n"
      "deadline = \"2h\"\n");
  inputs_.environment["SLUICE_LOG_LEVEL"] = "loud";
  inputs_.flags = {{"node.shards", "--shards", "many"}};
  EXPECT_EQ(problems(),
            "f:2:1: unknown key \"shard\" in [node]; did you mean \"shards\"?\n"
            "  2 | shard = 4\n"
            "    | ^~~~~\n"
            "f:4:2: unknown table [lisen]; did you mean \"listen\"?\n"
            "  4 | [lisen]\n"
            "    |  ^~~~~\n"
            "f:7:12: drain.deadline: it must be between 0s and 1h, not 2h\n"
            "  7 | deadline = \"2h\"\n"
            "    |            ^~~~\n"
            "environment variable SLUICE_LOG_LEVEL: log.level: it must be one of \"debug\", "
            "\"info\", \"warn\", \"error\", not \"loud\"\n"
            "--shards: node.shards: it must be a whole number, not \"many\"\n");
}

TEST_F(LoadTest, Keys_outside_of_their_table_are_told_where_to_go) {
  file("shards = 4\nnode = 3\nfoo = 1\n[listen.tls]\ncert = \"x\"\n");
  const std::string text = problems();
  EXPECT_NE(text.find("f:1:1: \"shards\" stands outside of its table; write it under [node]"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("f:2:1: \"node\" is a table; write [node]"), std::string::npos) << text;
  EXPECT_NE(text.find("f:3:1: unknown key \"foo\" outside of any table"), std::string::npos);
  EXPECT_NE(text.find("there are no tables inside [listen]"), std::string::npos) << text;
}

TEST_F(LoadTest, Slips_in_variable_names_are_found_and_other_programs_left_alone) {
  inputs_.environment["SLUICE_SERVER"] = "127.0.0.1:1";
  EXPECT_EQ(problems(), "");
  inputs_.environment["SLUICE_NODE_SHARD"] = "4";
  EXPECT_EQ(problems(),
            "environment variable SLUICE_NODE_SHARD: names no setting; did you mean "
            "\"SLUICE_NODE_SHARDS\"?\n");
}

TEST_F(LoadTest, Other_machines_are_let_in_only_in_so_many_words) {
  file("[listen]\nnative = \"0.0.0.0:4880\"\n");
  const std::string text = problems();
  EXPECT_TRUE(
      text.starts_with("f:2:10: listen.native: 0.0.0.0:4880 can be reached from other "
                       "machines, and Sluice authenticates nobody yet"))
      << text;
  EXPECT_NE(text.find("allow_unauthenticated = true"), std::string::npos);
  file("[listen]\nnative = \"0.0.0.0:4880\"\nallow_unauthenticated = true\n");
  EXPECT_EQ(problems(), "");
}

TEST_F(LoadTest, The_http_endpoint_is_not_exempt) {
  inputs_.flags = {{"listen.http", "--http", "[::]:4881"}};
  EXPECT_TRUE(problems().starts_with("--http: listen.http: [::]:4881 can be reached"))
      << problems();
}

TEST_F(LoadTest, Two_listeners_cannot_share_a_port) {
  file("[listen]\nhttp = \"127.0.0.1:4880\"\n");
  EXPECT_TRUE(problems().starts_with("f:2:8: listen.native and listen.http are both"))
      << problems();
  file("[listen]\nnative = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\n");
  EXPECT_EQ(problems(), "");
}

TEST_F(LoadTest, A_default_above_its_maximum_points_at_what_was_set) {
  file("[subscription]\nqueue_bytes_max = \"1MiB\"\n");
  EXPECT_EQ(problems(),
            "f:2:19: subscription.queue_bytes = \"16MiB\" is more than "
            "subscription.queue_bytes_max = \"1MiB\"\n"
            "  2 | queue_bytes_max = \"1MiB\"\n"
            "    |                   ^~~~~~\n");
}

TEST_F(LoadTest, A_frame_must_fit_into_the_grant) {
  file("[connection]\nmax_frame = \"2MiB\"\n");
  EXPECT_TRUE(problems().starts_with(
      "f:2:13: connection.max_frame = \"2MiB\" is more than topic.grant = \"1MiB\""))
      << problems();
}

TEST_F(LoadTest, The_ladder_is_checked_by_who_knows_ladders) {
  std::string seen;
  inputs_.check_ladder = [&seen](std::string_view ladder) -> base::Status {
    seen = ladder;
    return base::fail(ErrorCode::kBadLadder, "no such step");
  };
  file("[subscription]\noverflow = [\"block:50ms\", \"explode\"]\n");
  const std::string text = problems();
  EXPECT_EQ(seen, "block:50ms,explode");
  EXPECT_TRUE(text.starts_with("f:2:12: subscription.overflow: bad-ladder: ")) << text;
  EXPECT_NE(text.find("no such step"), std::string::npos);
}

TEST_F(LoadTest, What_cannot_fit_is_refused_with_the_arithmetic) {
  file("[node]\nmemory_budget = \"64MiB\"\n[subscription]\nqueue_bytes = \"100MiB\"\n");
  const std::string text = problems();
  EXPECT_TRUE(
      text.starts_with("f:2:17: the configuration cannot fit into node.memory_budget = \"64MiB\"\n"
                       "  2 | memory_budget = \"64MiB\"\n"
                       "    |                 ^~~~~~~\n"
                       "needed for the broker's own work and for the first client:\n"))
      << text;
  EXPECT_NE(text.find("one default queue, full"), std::string::npos) << text;
  EXPECT_NE(text.find("sum"), std::string::npos);
}

TEST_F(LoadTest, The_check_shows_origins_and_the_plan) {
  inputs_.flags = {{"node.shards", "--shards", "2"}};
  const std::string text = load(inputs_).check_text();
  EXPECT_TRUE(text.starts_with("node.shards = 2  # --shards\n")) << text;
  EXPECT_NE(text.find("node.memory_budget"), std::string::npos);
  inputs_.flags.clear();
  EXPECT_TRUE(load(inputs_).check_text().starts_with("every setting has its default\n"));
}

TEST_F(LoadTest, A_missing_file_is_a_problem) {
  inputs_.file = "/nonexistent/broker.toml";
  EXPECT_EQ(problems(), "/nonexistent/broker.toml: cannot be read: No such file or directory\n");
}

TEST_F(LoadTest, The_default_file_holds_every_setting_at_its_default) {
  std::ifstream in(SLUICE_ROOT "/broker.toml");
  ASSERT_TRUE(in) << "no broker.toml";
  const std::regex setting("# ([a-z_]+ = .*)");
  std::string text;
  for (std::string line; std::getline(in, line);) {
    text += std::regex_replace(line, setting, "$1") + "\n";
  }
  file(text);
  Loaded loaded = load(inputs_);
  ASSERT_TRUE(loaded.ok()) << loaded.problems_text();
  Settings defaults = load(Inputs{{}, inputs_.environment, {}, inputs_.cores, {}}).settings;
  const auto expected = bind(defaults);
  const auto actual = bind(loaded.settings);
  EXPECT_EQ(loaded.origins.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(format_value(actual[i]), format_value(expected[i])) << expected[i].name();
  }
}

TEST(Environment, Keeps_what_matters) {
  const char* const variables[] = {"PATH=/bin", "SLUICE_NODE_SHARDS=4", "HOME=/h", "BROKEN",
                                   nullptr};
  const Environment environment = environment_from(variables);
  EXPECT_EQ(environment, (Environment{{"HOME", "/h"}, {"SLUICE_NODE_SHARDS", "4"}}));
}

}  // namespace
}  // namespace sluice::config
