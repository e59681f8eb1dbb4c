#include "cli/output.h"

#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

namespace sluice::cli {
namespace {

class OutputTest : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    ASSERT_EQ(pipe(ends_), 0);
  }
  void TearDown() override {
    close_reader();
    close(ends_[1]);
  }
  void close_reader() {
    if (ends_[0] >= 0) close(ends_[0]);
    ends_[0] = -1;
  }
  std::string read_some() {
    std::string text(1024, '\0');
    const ssize_t got = read(ends_[0], text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }
  int ends_[2] = {-1, -1};
};

TEST_F(OutputTest, NothingIsWrittenBeforeTheFlush) {
  Output out(ends_[1]);
  out.append("one ");
  out.append(std::string_view("t\0o", 3));
  ASSERT_TRUE(out.flush());
  EXPECT_EQ(read_some(), std::string("one t\0o", 7));
}

TEST_F(OutputTest, AReaderThatIsGoneIsKClosed) {
  close_reader();
  Output out(ends_[1]);
  out.append("x");
  EXPECT_EQ(out.flush().error().code, ErrorCode::kClosed);
  out.append("y");
  EXPECT_EQ(out.flush().error().code, ErrorCode::kClosed) << "the first error stays";
}

TEST_F(OutputTest, OtherFailuresAreKIo) {
  Output out(-1);
  out.append("x");
  EXPECT_EQ(out.flush().error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace sluice::cli
