#include "libs/async/scope.h"

#include <gtest/gtest.h>
#include <stdexcept>
#include <string>

#include "libs/async/event.h"
#include "libs/async/manual_executor.h"
#include "libs/async/sleep.h"

namespace sluice::async {
namespace {

using base::ErrorCode;
using base::Status;
using std::chrono::seconds;

Task<Status> sleeps(Context context, base::Duration duration, std::string& log, char mark) {
  Status status = co_await sleep_for(context, duration);
  log += status ? mark : '!';
  co_return status;
}

Task<Status> fails(Context context, base::Duration after) {
  const Status slept = co_await sleep_for(context, after);
  if (!slept) co_return slept;
  co_return base::fail(ErrorCode::kQueueFull, "jobs");
}

Task<void> throws() {
  throw std::runtime_error("broken");
  co_return;
}

class ScopeTest : public testing::Test {
 protected:
  template <typename Body>
  void begin(const Context& context, Body body) {
    start(executor, with_scope(context, std::move(body)), [this](base::Result<Status> result) {
      outcome = result ? std::move(*result) : Status(base::fail(result.error()));
    });
    executor.run_ready();
  }
  ManualExecutor executor;
  std::optional<Status> outcome;
  std::string log;
};

TEST_F(ScopeTest, EndsWhenItsLastTaskHasEnded) {
  begin({}, [this](Scope& scope) -> Task<Status> {
    scope.spawn(sleeps(scope.context(), seconds(2), log, 'b'));
    scope.spawn(sleeps(scope.context(), seconds(1), log, 'a'));
    co_return Status();
  });
  executor.advance(seconds(1));
  EXPECT_FALSE(outcome.has_value());
  executor.advance(seconds(1));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_TRUE(*outcome);
  EXPECT_EQ(log, "ab");
}

TEST_F(ScopeTest, TheFirstErrorCancelsTheOthersAndIsTheResult) {
  begin({}, [this](Scope& scope) -> Task<Status> {
    scope.spawn(sleeps(scope.context(), seconds(10), log, 'a'));
    scope.spawn(fails(scope.context(), seconds(1)));
    scope.spawn(fails(scope.context(), seconds(5)));
    co_return Status();
  });
  executor.advance(seconds(1));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->error().code, ErrorCode::kQueueFull);
  EXPECT_EQ(outcome->error().detail, "jobs");
  EXPECT_EQ(log, "!");
  EXPECT_EQ(executor.timer_count(), 0U);
}

TEST_F(ScopeTest, AnExceptionIsAnErrorLikeAnyOther) {
  begin({}, [this](Scope& scope) -> Task<Status> {
    scope.spawn(sleeps(scope.context(), seconds(10), log, 'a'));
    scope.spawn(throws());
    co_return Status();
  });
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->error().code, ErrorCode::kInternal);
  EXPECT_EQ(outcome->error().detail, "broken");
  EXPECT_EQ(log, "!");
}

TEST_F(ScopeTest, EndsWithItsParent) {
  CancelSource parent;
  begin(parent.context(), [this](Scope& scope) -> Task<Status> {
    scope.spawn(sleeps(scope.context(), seconds(10), log, 'a'));
    co_return Status();
  });
  parent.cancel("stop");
  executor.run_ready();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->error().code, ErrorCode::kCanceled);
  EXPECT_EQ(log, "!");
}

TEST_F(ScopeTest, TasksMaySpawnTasks) {
  int ended = 0;
  auto leaf = [&]() -> Task<void> {
    ++ended;
    co_return;
  };
  auto branch = [&](Scope& scope) -> Task<void> {
    for (int i = 0; i < 10; ++i) scope.spawn(leaf());
    co_return;
  };
  begin({}, [&](Scope& scope) -> Task<Status> {
    for (int i = 0; i < 10; ++i) scope.spawn(branch(scope));
    co_return Status();
  });
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(ended, 100);
}

TEST_F(ScopeTest, ManyTasksWaitAtOnceAndAllEnd) {
  constexpr int kTasks = 20000;
  Event go;
  int ended = 0;
  auto waits = [&](Context context) -> Task<Status> {
    Status status = co_await go.wait(context);
    ++ended;
    co_return status;
  };
  begin({}, [&](Scope& scope) -> Task<Status> {
    for (int i = 0; i < kTasks; ++i) scope.spawn(waits(scope.context()));
    co_return Status();
  });
  EXPECT_EQ(ended, 0);
  go.set();
  executor.run_ready();
  EXPECT_EQ(ended, kTasks);
  EXPECT_TRUE(outcome.has_value());
}

}  // namespace
}  // namespace sluice::async
