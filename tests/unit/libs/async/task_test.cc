#include "libs/async/task.h"

#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>

#include "libs/async/manual_executor.h"
#include "libs/async/sleep.h"
#include "libs/async/start.h"
#include "libs/async/thread_executor.h"

namespace sluice::async {
namespace {

Task<int> answer() { co_return 42; }

Task<int> add(int left, int right) {
  const int first = left == 42 ? co_await answer() : left;
  co_return first + right;
}

Task<void> throws() {
  throw std::runtime_error("no luck");
  co_return;
}

Task<int> passes_on() {
  co_await throws();
  co_return 1;
}

Task<std::unique_ptr<int>> moves() { co_return std::make_unique<int>(7); }

// Runs a task to its end on virtual time.
template <typename T>
base::Result<T> run(Task<T> task) {
  ManualExecutor executor;
  std::optional<base::Result<T>> outcome;
  start(executor, std::move(task), [&](base::Result<T> result) { outcome = std::move(result); });
  executor.run_until_idle();
  EXPECT_TRUE(outcome.has_value());
  return std::move(*outcome);
}

TEST(Task, ReturnsItsValueThroughAwaits) { EXPECT_EQ(run(add(42, 1)).value(), 43); }

TEST(Task, ValuesMayBeMoveOnly) { EXPECT_EQ(**run(moves()), 7); }

TEST(Task, DoesNothingUntilStarted) {
  bool began = false;
  auto body = [&]() -> Task<void> {
    began = true;
    co_return;
  };
  {
    const Task<void> dropped = body();
    EXPECT_FALSE(began);
  }
  EXPECT_FALSE(began);
  EXPECT_TRUE(run(body()));
  EXPECT_TRUE(began);
}

TEST(Task, AnExceptionTravelsToTheOneWhoAwaits) {
  auto catches = []() -> Task<std::string> {
    std::string caught;
    try {
      co_await passes_on();
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    co_return caught;
  };
  EXPECT_EQ(run(catches()).value(), "no luck");
}

TEST(Task, AnExceptionThatNobodyCaughtIsAnErrorWithItsText) {
  const auto outcome = run(passes_on());
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, base::ErrorCode::kInternal);
  EXPECT_EQ(outcome.error().detail, "no luck");
}

TEST(Task, ADestroyedTaskDestroysWhatItHolds) {
  auto held = std::make_shared<int>(1);
  auto holder = [](std::shared_ptr<int> value) -> Task<int> { co_return *value; };
  {
    const Task<int> dropped = holder(held);
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

Task<int> sum_to(int n) {
  int sum = 0;
  for (int i = 0; i < n; ++i) sum += co_await answer();
  co_return sum;
}

Task<int> deep(int levels) {
  if (levels == 0) co_return 0;
  const int below = co_await deep(levels - 1);
  co_return below + 1;
}

// Sanitizers keep the compiler from turning the transfer into a jump.
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr int kDepth = 100000;
#else
constexpr int kDepth = 100;
#endif

TEST(Task, LongLoopsAndDeepChainsNeedNoStack) {
  EXPECT_EQ(run(sum_to(kDepth)).value(), 42 * kDepth);
  EXPECT_EQ(run(deep(kDepth)).value(), kDepth);
}

TEST(Task, BlockOnWaitsForAnotherThreadsWork) {
  ThreadExecutor executor;
  EXPECT_EQ(block_on(executor, add(1, 2)), 3);
  EXPECT_THROW(block_on(executor, throws()), std::runtime_error);
}

TEST(Task, ResumesOnTheExecutorItWasStartedOn) {
  ThreadExecutor executor;
  auto body = [&]() -> Task<bool> {
    Executor& own = co_await this_executor();
    const base::Status slept = co_await sleep_for(Context(), std::chrono::milliseconds(1));
    co_return &own == &executor&& executor.is_current() && slept.has_value();
  };
  EXPECT_TRUE(block_on(executor, body()));
}

}  // namespace
}  // namespace sluice::async
