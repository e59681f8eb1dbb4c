#include "cli/line_reader.h"

#include <gtest/gtest.h>
#include <string>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace sluice::cli {
namespace {

/// A pipe that a thread fills, since one holds less than some inputs here.
class Input {
 public:
  explicit Input(std::string text) {
    EXPECT_EQ(pipe(ends_), 0);
    writer_ = std::thread([this, text = std::move(text)] {
      std::string_view left = text;
      while (!left.empty()) {
        const ssize_t sent = write(ends_[1], left.data(), left.size());
        if (sent <= 0) break;
        left.remove_prefix(static_cast<std::size_t>(sent));
      }
      close(ends_[1]);
    });
  }
  ~Input() {
    writer_.join();
    close(ends_[0]);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  int fd() const { return ends_[0]; }

 private:
  int ends_[2] = {-1, -1};
  std::thread writer_;
};

std::vector<std::string> lines_of(const std::string& text) {
  const Input input(text);
  LineReader reader(input.fd(), -1);
  std::vector<std::string> lines;
  for (;;) {
    auto line = reader.next();
    if (!line) {
      EXPECT_EQ(line.error().code, ErrorCode::kClosed);
      EXPECT_EQ(reader.line_number(), lines.size());
      return lines;
    }
    lines.emplace_back(*line);
  }
}

using Lines = std::vector<std::string>;

TEST(LineReader, SplitsAtNewlinesAndKeepsEverythingElse) {
  EXPECT_EQ(lines_of("a\nb\n"), (Lines{"a", "b"}));
  EXPECT_EQ(lines_of("a\r\n\n c "), (Lines{"a\r", "", " c "}));
  const std::string binary("\0\xFF\n\0", 4);
  EXPECT_EQ(lines_of(binary), (Lines{std::string("\0\xFF", 2), std::string("\0", 1)}));
}

TEST(LineReader, NoInputIsNoLine) {
  EXPECT_EQ(lines_of(""), Lines{});
  EXPECT_EQ(lines_of("\n"), Lines{""});
}

TEST(LineReader, LinesMayBeLongerThanWhatIsReadAtOnce) {
  const std::string longest(3U << 20, 'x');
  const std::string longer(600U << 10, 'y');
  EXPECT_EQ(lines_of("s\n" + longest + "\n" + longer + "\nend"),
            (Lines{"s", longest, longer, "end"}));
}

TEST(LineReader, ManyLinesComeInOrder) {
  std::string text;
  Lines expected;
  for (int i = 0; i < 200'000; ++i) {
    expected.push_back("line " + std::to_string(i));
    text += expected.back() + "\n";
  }
  EXPECT_EQ(lines_of(text), expected);
}

TEST(LineReader, AnInterruptEndsTheWait) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int interrupt = eventfd(1, 0);
  LineReader reader(ends[0], interrupt);
  const auto line = reader.next();
  ASSERT_FALSE(line.has_value());
  EXPECT_EQ(line.error().code, ErrorCode::kCanceled);
  close(ends[0]);
  close(ends[1]);
  close(interrupt);
}

TEST(LineReader, ADescriptorThatCannotBeReadIsAnError) {
  LineReader reader(STDIN_FILENO + 1000, -1);
  EXPECT_EQ(reader.next().error().code, ErrorCode::kIo);
}

TEST(ReadAll, ReadsToTheEnd) {
  const std::string text(1U << 20, 'z');
  const Input input(text);
  EXPECT_EQ(read_all(input.fd(), -1, 2U << 20).value(), text);
}

TEST(ReadAll, MoreThanItMayIsRefused) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "12345", 5), 5);
  EXPECT_EQ(read_all(ends[0], -1, 4).error().code, ErrorCode::kMessageTooLarge);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace sluice::cli
