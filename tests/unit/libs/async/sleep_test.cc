#include "libs/async/sleep.h"

#include <gtest/gtest.h>
#include <optional>

#include "libs/async/manual_executor.h"
#include "libs/async/start.h"
#include "libs/async/task.h"

namespace sluice::async {
namespace {

using base::ErrorCode;
using std::chrono::seconds;

Task<base::Status> nap(Context context) {
  base::Status status = co_await sleep_for(context, seconds(10));
  co_return status;
}

class SleepTest : public testing::Test {
 protected:
  void begin(const Context& context) {
    start(executor, nap(context),
          [this](base::Result<base::Status> result) { outcome = std::move(*result); });
    executor.run_ready();
  }
  ManualExecutor executor;
  std::optional<base::Status> outcome;
};

TEST_F(SleepTest, EndsWhenTheTimeHasPassed) {
  begin({});
  executor.advance(seconds(9));
  EXPECT_FALSE(outcome.has_value());
  executor.advance(seconds(1));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_TRUE(*outcome);
}

TEST_F(SleepTest, EndsAtOnceWhenItsContextIsDone) {
  CancelSource source;
  begin(source.context());
  source.cancel("wake up");
  executor.run_ready();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->error().code, ErrorCode::kCanceled);
  EXPECT_EQ(outcome->error().detail, "wake up");
  EXPECT_EQ(executor.timer_count(), 0U);
}

TEST_F(SleepTest, DoesNotBeginWithAContextThatIsDone) {
  CancelSource source;
  source.cancel();
  begin(source.context());
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->error().code, ErrorCode::kCanceled);
}

TEST_F(SleepTest, ADeadlineBeforeItsEndWins) {
  CancelSource source({}, executor, executor.clock().now() + seconds(3));
  begin(source.context());
  executor.advance(seconds(3));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->error().code, ErrorCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace sluice::async
