#include "broker/log/logger.h"

#include <gtest/gtest.h>
#include <sstream>
#include <thread>
#include <vector>

namespace sluice::log {
namespace {

using std::chrono::seconds;

class LoggerTest : public testing::Test {
 protected:
  Options options() {
    Options options;
    options.output = &out_;
    return options;
  }

  // 2026-11-25T01:08:00.123Z
  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1'795'568'880'123))};
  std::ostringstream out_;
};

TEST_F(LoggerTest, A_line_has_time_level_event_and_fields) {
  Logger logger(clock_, options());
  logger.info("connection closed", {{"session", 12}, {"reason", "peer"}});
  EXPECT_EQ(out_.str(),
            "time=2026-11-25T01:08:00.123Z level=info event=\"connection closed\" session=12 "
            "reason=peer\n");
}

TEST_F(LoggerTest, Json_is_one_object_per_line) {
  Options json = options();
  json.format = Format::kJson;
  Logger logger(clock_, json);
  logger.error("failed", {{"text", "100 %v \"x\""}});
  EXPECT_EQ(out_.str(),
            "{\"time\":\"2026-11-25T01:08:00.123Z\",\"level\":\"error\",\"event\":\"failed\","
            "\"text\":\"100 %v \\\"x\\\"\"}\n");
}

TEST_F(LoggerTest, The_time_is_the_clocks) {
  Logger logger(clock_, options());
  clock_.advance(std::chrono::minutes(1));
  logger.info("e");
  EXPECT_TRUE(out_.str().starts_with("time=2026-11-25T01:09:00.123Z ")) << out_.str();
}

TEST_F(LoggerTest, Events_below_the_level_are_not_written) {
  Logger logger(clock_, options());
  logger.debug("e");
  EXPECT_EQ(out_.str(), "");
  EXPECT_FALSE(logger.enabled(Level::kDebug));
  logger.set_level(Level::kDebug);
  logger.debug("e");
  EXPECT_NE(out_.str(), "");
  logger.set_level(Level::kError);
  out_.str("");
  logger.warn("e");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(LoggerTest, A_storm_becomes_ten_lines_and_a_count) {
  Logger logger(clock_, options());
  for (int i = 0; i < 1000; ++i) logger.warn("storm", {{"i", i}});
  logger.warn("other");
  std::string text = out_.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11);
  EXPECT_NE(text.find("event=other"), std::string::npos);
  out_.str("");
  logger.on_time();
  EXPECT_EQ(out_.str(), "") << "the window is not over";
  clock_.advance(seconds(10));
  logger.on_time();
  EXPECT_EQ(out_.str(),
            "time=2026-11-25T01:08:10.123Z level=warn event=suppressed kind=storm count=990\n");
}

TEST_F(LoggerTest, The_end_says_what_was_kept_back) {
  {
    Logger logger(clock_, options());
    for (int i = 0; i < 12; ++i) logger.info("e");
    out_.str("");
  }
  EXPECT_NE(out_.str().find("event=suppressed kind=e count=2"), std::string::npos) << out_.str();
}

TEST_F(LoggerTest, Threads_write_whole_lines) {
  Options many = options();
  many.burst = 100'000;
  Logger logger(clock_, many);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&logger] {
      for (int i = 0; i < 500; ++i) logger.info("from a thread", {{"value", "abcdefgh"}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(out_.str());
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    ++count;
    EXPECT_TRUE(line.starts_with("time=2026-") && line.ends_with("value=abcdefgh")) << line;
  }
  EXPECT_EQ(count, 2000);
}

TEST(Level, Names_are_read_back) {
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarn, Level::kError}) {
    EXPECT_EQ(parse_level(level_name(level)), level);
  }
  EXPECT_FALSE(parse_level("loud"));
  EXPECT_EQ(parse_format("json"), Format::kJson);
  EXPECT_EQ(parse_format("text"), Format::kText);
  EXPECT_FALSE(parse_format("xml"));
}

}  // namespace
}  // namespace sluice::log
