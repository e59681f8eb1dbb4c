#include "libs/async/run_here.h"

#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>

#include "libs/async/event.h"
#include "libs/async/sleep.h"

namespace sluice::async {
namespace {

using base::Duration;
using base::Status;

Task<Status> wait_on(Event& event, Context context) {
  Status status = co_await event.wait(context);
  co_return status;
}

TEST(RunHere, RunsInTheCallingThread) {
  const auto caller = std::this_thread::get_id();
  auto body = [&](Context) -> Task<bool> { co_return std::this_thread::get_id() == caller; };
  EXPECT_TRUE(run_here(Duration::max(), body));
}

TEST(RunHere, TheTimeoutIsTheDeadlineOfItsContext) {
  Event never;
  const Status status = run_here(std::chrono::milliseconds(2),
                                 [&](Context context) { return wait_on(never, context); });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::kDeadlineExceeded);
}

TEST(RunHere, AnotherThreadMayWakeIt) {
  for (int round = 0; round < 200; ++round) {
    Event event;
    std::thread setter([&] { event.set(); });
    EXPECT_TRUE(
        run_here(Duration::max(), [&](Context context) { return wait_on(event, context); }));
    setter.join();
  }
}

TEST(RunHere, ThrowsWhatTheTaskThrows) {
  auto body = [](Context) -> Task<void> {
    throw std::runtime_error("no");
    co_return;
  };
  EXPECT_THROW(run_here(Duration::max(), body), std::runtime_error);
}

}  // namespace
}  // namespace sluice::async
