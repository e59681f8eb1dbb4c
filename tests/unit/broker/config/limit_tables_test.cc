#include "broker/config/limit_tables.h"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

struct Read {
  std::vector<model::LimitSpec> limits;
  std::string problems;
};

Read read(std::string_view text, std::size_t limits_max = 10) {
  TomlFile file = parse_toml(text, "f");
  Read out;
  Problems problems = std::move(file.problems);
  out.limits = read_limits(file.entries, limits_max, problems);
  for (const Problem& problem : problems) out.problems += problem.text() + "\n";
  return out;
}

TEST(LimitTables, AreReadInTheirOrder) {
  const Read got = read(
      "[[limit]]\nname = \"a\"\nmessages_per_second = 10\n"
      "[[limit]]\nname = \"b\"\nlevel = \"topic\"\nmatch = \"x.>\"\ndirection = \"out\"\n"
      "bytes_per_second = \"1MiB\"\nburst_bytes = 4096\nenforce = \"observe\"\n");
  EXPECT_EQ(got.problems, "");
  ASSERT_EQ(got.limits.size(), 2U);
  EXPECT_EQ(got.limits[0].name, "a");
  EXPECT_EQ(got.limits[0].messages_per_second, 10U);
  EXPECT_EQ(got.limits[1],
            (model::LimitSpec{"b", model::LimitLevel::kTopic, "x.>", model::LimitDirection::kOut, 0,
                              1U << 20, 0, 4096, model::LimitEnforce::kObserve}));
}

TEST(LimitTables, PointAtWhatIsWrong) {
  EXPECT_EQ(read("[[limit]]\nname = \"a\"\nmesages_per_second = 10\n").problems,
            "f:3:1: unknown key \"mesages_per_second\" in [[limit]]; did you mean "
            "\"messages_per_second\"?\n"
            "  3 | mesages_per_second = 10\n"
            "    | ^~~~~~~~~~~~~~~~~~\n");
  EXPECT_EQ(read("[[limit]]\nname = \"a\"\nmessages_per_second = 1\nlevel = \"topik\"\n").problems,
            "f:4:9: limit.level: it must be one of node, listener, user, connection, topic, "
            "subscription, not \"topik\"; did you mean \"topic\"?\n"
            "  4 | level = \"topik\"\n"
            "    |         ^~~~~~~\n");
  EXPECT_EQ(read("[[limit]]\nname = \"a\"\nmessages_per_second = 1.5\n").problems,
            "f:3:23: limit.messages_per_second: it must be a number or a text in quotes\n"
            "  3 | messages_per_second = 1.5\n"
            "    |                       ^~~\n");
}

TEST(LimitTables, PointAtANameThatWouldNeedQuotes) {
  const std::string problems =
      read("[[limit]]\nname = \"eu orders\"\nmessages_per_second = 1\n").problems;
  EXPECT_TRUE(
      problems.starts_with("f:2:8: [[limit]]: the limit's name \"eu orders\" has a space at "
                           "byte 3; a name has 1 to 64 letters"))
      << problems;
}

TEST(LimitTables, PointAtTheTableWhereAValueIsMissing) {
  const std::string problems = read("[[limit]]\nname = \"a\"\n").problems;
  EXPECT_TRUE(problems.starts_with("f:1:3: [[limit]]: a limit needs")) << problems;
}

TEST(LimitTables, RefuseANameTwiceAndTooMany) {
  const std::string one = "[[limit]]\nname = \"a\"\nmessages_per_second = 1\n";
  EXPECT_EQ(read(one + one).problems,
            "f:5:8: there is another limit of the name \"a\"\n"
            "  5 | name = \"a\"\n"
            "    |        ^~~\n");
  const std::string many = one + "[[limit]]\nname = \"b\"\nmessages_per_second = 1\n";
  EXPECT_NE(read(many, 1).problems.find("there are 2 limits, and limits.max = 1"),
            std::string::npos);
  EXPECT_EQ(read(many, 2).problems, "");
}

TEST(LimitTables, TellProblemsOfAllTables) {
  const Read got = read(
      "[[limit]]\nname = 1.5\n[[limit]]\nfoo = 1\n[[limit]]\nname = \"c\"\n"
      "bytes_per_second = \"1kB\"\n");
  EXPECT_EQ(got.limits.size(), 1U);
  EXPECT_NE(got.problems.find("f:2:"), std::string::npos);
  EXPECT_NE(got.problems.find("f:4:"), std::string::npos);
}

}  // namespace
}  // namespace sluice::config
