#include "broker/config/toml_file.h"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

std::string problem_of(std::string_view text) {
  const TomlFile file = parse_toml(text, "f");
  return file.problems.empty() ? "none" : file.problems.front().text();
}

const TomlEntry& entry(const TomlFile& file, std::string_view key) {
  for (const TomlEntry& candidate : file.entries) {
    if (candidate.key == key) return candidate;
  }
  ADD_FAILURE() << key;
  static const TomlEntry kNone;
  return kNone;
}

TEST(TomlFile, Takes_a_file_apart_in_its_order) {
  const TomlFile file = parse_toml(
      "[node]\n"
      "  shards  =  4\n"
      "data_dir = \"/d\" # here\n"
      "[listen]\n"
      "allow_unauthenticated = true\n"
      "list = [\"a\",\n  \"b\"]\n",
      "f");
  ASSERT_TRUE(file.problems.empty());
  ASSERT_EQ(file.entries.size(), 6U);
  EXPECT_TRUE(file.entries[0].is_table);
  EXPECT_EQ(file.entries[1].table, "node");
  EXPECT_EQ(file.entries[1].key, "shards");
  EXPECT_EQ(std::get<std::int64_t>(file.entries[1].given), 4);
  EXPECT_EQ(file.entries[1].key_origin.where, "f:2:3");
  EXPECT_EQ(file.entries[1].value_origin.where, "f:2:14");
  EXPECT_EQ(std::get<std::string>(file.entries[2].given), "/d");
  EXPECT_EQ(file.entries[3].key_origin.where, "f:4:2");
  EXPECT_TRUE(std::get<bool>(file.entries[4].given));
  EXPECT_EQ(std::get<std::vector<std::string>>(file.entries[5].given),
            (std::vector<std::string>{"a", "b"}));
}

TEST(TomlFile, The_excerpt_marks_the_key_or_the_value) {
  const TomlFile file = parse_toml("[node]\n\tshards = 12\n", "f");
  EXPECT_EQ(entry(file, "shards").key_origin.excerpt,
            "  2 |  shards = 12\n"
            "    |  ^~~~~~");
  EXPECT_EQ(entry(file, "shards").value_origin.excerpt,
            "  2 |  shards = 12\n"
            "    |           ^~");
}

TEST(TomlFile, Types_that_no_setting_has_are_told_apart) {
  const TomlFile file = parse_toml("a = 1.5\nb = 1979-05-27\nc = [1, 2]\nd = [\"x\", 1]\n", "f");
  for (const char* key : {"a", "b", "c", "d"}) {
    EXPECT_TRUE(std::holds_alternative<std::monostate>(entry(file, key).given)) << key;
  }
}

TEST(TomlFile, Numbers_that_do_not_fit_stay_text) {
  const TomlFile file = parse_toml("a = 99999999999999999999\nb = 1_000\nc = -5\nd = 0x10\n", "f");
  EXPECT_EQ(std::get<std::string>(entry(file, "a").given), "99999999999999999999");
  EXPECT_EQ(std::get<std::int64_t>(entry(file, "b").given), 1000);
  EXPECT_EQ(std::get<std::int64_t>(entry(file, "c").given), -5);
  EXPECT_EQ(std::get<std::int64_t>(entry(file, "d").given), 16);
}

TEST(TomlFile, Inline_and_dotted_tables_have_places_as_well) {
  const TomlFile file =
      parse_toml("listen = {native = \"x\", http = \"y\"}\nnode.shards = 2\n", "f");
  ASSERT_TRUE(file.problems.empty()) << file.problems.front().text();
  EXPECT_EQ(entry(file, "http").table, "listen");
  EXPECT_EQ(entry(file, "http").key_origin.where, "f:1:25");
  EXPECT_EQ(entry(file, "shards").table, "node");
  EXPECT_EQ(entry(file, "shards").key_origin.where, "f:2:6");
}

TEST(TomlFile, Syntax_errors_have_a_place_and_a_caret) {
  EXPECT_EQ(problem_of("[node]\nshards = \n"),
            "f:2:10: missing value after key-value separator '=': expected value, but got nothing\n"
            "  2 | shards = \n"
            "    |          ^");
  EXPECT_EQ(problem_of("a = 1 b = 2\n"),
            "f:1:7: invalid line format: expected newline, but got 'b'.\n"
            "  1 | a = 1 b = 2\n"
            "    |       ^");
  EXPECT_TRUE(problem_of("[node]\nx = \"open\n").starts_with("f:2:5: ")) << problem_of("x = \"o");
  EXPECT_TRUE(problem_of("a = 1\na = 2\n").starts_with("f:2:5: ")) << problem_of("a = 1\na = 2\n");
  EXPECT_TRUE(problem_of("[node\n").starts_with("f:1:")) << problem_of("[node\n");
}

TEST(TomlFile, A_unit_without_quotes_is_explained) {
  EXPECT_EQ(problem_of("[node]\nmemory_budget = 64MiB\n"),
            "f:2:19: sizes and durations are written in quotes, like \"64MiB\" or \"250ms\"\n"
            "  2 | memory_budget = 64MiB\n"
            "    |                   ^");
}

TEST(TomlFile, Hostile_files_are_refused_whole) {
  EXPECT_EQ(problem_of("a = " + std::string(100'000, '[')),
            "f: has more than 64 brackets inside one another");
  EXPECT_EQ(problem_of(std::string(300'000, '#')), "f: is larger than 256 KiB");
  EXPECT_NE(problem_of(std::string("\xff\xfe\x00 = 1", 7)), "none");
  EXPECT_EQ(problem_of(""), "none");
  EXPECT_EQ(problem_of("\xEF\xBB\xBF[node]\r\nshards = 1\r\n"), "none");
}

TEST(TomlFile, A_file_that_cannot_be_read_says_why) {
  EXPECT_EQ(read_toml("/nonexistent/b.toml").problems.front().text(),
            "/nonexistent/b.toml: cannot be read: No such file or directory");
  EXPECT_NE(read_toml("/").problems.size(), 0U);
}

TEST(Excerpt, Carets_count_characters_and_not_bytes) {
  EXPECT_EQ(excerpt(7, "\xC3\xA4\xC3\xB6 = x", 8, 1),
            "  7 | \xC3\xA4\xC3\xB6 = x\n"
            "    |      ^");
}

TEST(Excerpt, Long_lines_are_cut_around_the_caret) {
  const std::string cut =
      excerpt(1, std::string(5000, 'a') + "X" + std::string(5000, 'b'), 5001, 1);
  EXPECT_LT(cut.size(), 300U);
  const std::size_t line_end = cut.find('\n');
  const std::size_t caret = cut.find('^') - line_end - 1;
  EXPECT_EQ(cut[caret], 'X');
}

TEST(Excerpt, Control_characters_never_reach_the_terminal) {
  EXPECT_EQ(excerpt(1, "a\x1b[2J", 1, 1).find('\x1b'), std::string::npos);
}

TEST(Excerpt, A_caret_may_stand_behind_the_end) {
  EXPECT_EQ(excerpt(1, "ab", 3, 4), "  1 | ab\n    |   ^");
  EXPECT_EQ(excerpt(1, "", 1, 1), "  1 | \n    | ^");
}

}  // namespace
}  // namespace sluice::config
