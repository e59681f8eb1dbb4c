#include "libs/async/event.h"

#include <gtest/gtest.h>
#include <vector>

#include "libs/async/manual_executor.h"
#include "libs/async/start.h"
#include "libs/async/task.h"

namespace sluice::async {
namespace {

Task<void> wait_for(Event& event, Context context, std::vector<base::ErrorCode>& outcomes) {
  const base::Status status = co_await event.wait(context);
  outcomes.push_back(status ? base::ErrorCode::kNone : status.error().code);
}

class EventTest : public testing::Test {
 protected:
  void begin(const Context& context = {}) {
    start(executor, wait_for(event, context, outcomes), [](const base::Status&) {});
    executor.run_ready();
  }
  ManualExecutor executor;
  Event event;
  std::vector<base::ErrorCode> outcomes;
};

TEST_F(EventTest, WakesAllWhoWaitAndHoldsNobodyAfterwards) {
  begin();
  begin();
  EXPECT_TRUE(outcomes.empty());
  event.set();
  executor.run_ready();
  EXPECT_EQ(outcomes.size(), 2U);
  begin();
  EXPECT_EQ(outcomes.size(), 3U);
}

TEST_F(EventTest, AfterResetTheNextOnesWaitAgain) {
  event.set();
  event.reset();
  begin();
  EXPECT_TRUE(outcomes.empty());
  event.set();
  event.reset();  // who waited has been woken for good
  executor.run_ready();
  EXPECT_EQ(outcomes, (std::vector{base::ErrorCode::kNone}));
}

TEST_F(EventTest, ACancelledContextWakesOnlyItsOwn) {
  CancelSource source;
  begin(source.context());
  begin();
  source.cancel();
  executor.run_ready();
  EXPECT_EQ(outcomes, (std::vector{base::ErrorCode::kCanceled}));
  event.set();
  executor.run_ready();
  EXPECT_EQ(outcomes.size(), 2U);
}

}  // namespace
}  // namespace sluice::async
