#include "cli/child_process.h"

#include <csignal>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace sluice::cli {
namespace {

class RunChild : public testing::Test {
 protected:
  void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }
};

Result<ChildResult> run(const std::string& command, std::string_view input = {}) {
  ChildOptions options;
  options.command = command;
  return run_child(options, input);
}

TEST_F(RunChild, InputGoesInAndOutputComesOut) {
  const std::string_view bytes("\0\xFF\n", 3);
  const auto result = run("cat", bytes);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->output, bytes);
  EXPECT_EQ(result->exit_code, 0);
}

TEST_F(RunChild, MoreThanAPipeHoldsGoesBothWays) {
  const std::string large(4U << 20, 'q');
  EXPECT_EQ(run("cat", large)->output, large);
}

TEST_F(RunChild, ACommandNeedNotReadItsInput) {
  const std::string large(1U << 20, 'q');
  EXPECT_EQ(run("echo done", large)->output, "done\n");
}

TEST_F(RunChild, ItsExitCodeIsTold) {
  EXPECT_EQ(run("exit 3")->exit_code, 3);
  EXPECT_EQ(run("kill -TERM $$")->exit_code, 128 + SIGTERM);
  EXPECT_EQ(run("/nonexistent/command 2>/dev/null")->exit_code, 127);
}

TEST_F(RunChild, ItFindsWhatItWasGivenInItsEnvironment) {
  setenv("SLUICE_TOPIC", "old", 1);
  ChildOptions options;
  options.command = "printf %s \"$SLUICE_TOPIC\"";
  options.environment = {{"SLUICE_TOPIC", "orders.eu"}};
  EXPECT_EQ(run_child(options, {})->output, "orders.eu");
  unsetenv("SLUICE_TOPIC");
}

TEST_F(RunChild, TooMuchOutputEndsIt) {
  ChildOptions options;
  options.command = "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done";
  options.output_max = 1U << 20;
  EXPECT_EQ(run_child(options, {}).error().code, ErrorCode::kMessageTooLarge);
}

TEST_F(RunChild, AnInterruptEndsIt) {
  ChildOptions options;
  options.command = "exec sleep 1000";
  options.interrupt_fd = eventfd(1, 0);
  EXPECT_EQ(run_child(options, {}).error().code, ErrorCode::kCanceled);
  close(options.interrupt_fd);
}

}  // namespace
}  // namespace sluice::cli
