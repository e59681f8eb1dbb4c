#include "libs/loop/signals.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <gtest/gtest.h>
#include <unistd.h>
#include <vector>

namespace sluice::loop {
namespace {

TEST(Signals, EachNumberReachesTheCallback) {
  Loop loop;
  std::vector<int> caught;
  Signals signals(loop, {SIGTERM, SIGHUP}, [&](int number) { caught.push_back(number); });
  std::raise(SIGTERM);
  while (caught.empty()) loop.run_once();
  std::raise(SIGHUP);
  while (caught.size() < 2) loop.run_once();
  EXPECT_EQ(caught, (std::vector<int>{SIGTERM, SIGHUP}));
}

TEST(Signals, ABrokenPipeIsAnErrorOfTheWrite) {
  ignore_sigpipe();
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  EXPECT_EQ(::write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  ::close(ends[1]);
}

}  // namespace
}  // namespace sluice::loop
