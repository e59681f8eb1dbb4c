#include "libs/async/context.h"

#include <gtest/gtest.h>
#include <optional>
#include <thread>
#include <vector>

#include "libs/async/manual_executor.h"

namespace sluice::async {
namespace {

using base::ErrorCode;
using std::chrono::seconds;

TEST(Context, TheRootIsNeverDone) {
  const Context root;
  EXPECT_FALSE(root.is_done());
  EXPECT_EQ(root.err(), ErrorCode::kNone);
  EXPECT_TRUE(root.check());
  EXPECT_EQ(root.deadline(), base::kNever);
  EXPECT_EQ(root.describe({}), "background");
}

TEST(Context, CancelTellsWhyAndOnlyTheFirstCounts) {
  CancelSource source;
  source.cancel("shutting down");
  source.cancel("again");
  EXPECT_EQ(source.context().err(), ErrorCode::kCanceled);
  EXPECT_EQ(source.context().cause().detail, "shutting down");
  EXPECT_EQ(source.context().describe({}), "canceled: shutting down");
}

TEST(Context, ACauseOfAnotherCodeIsKept) {
  CancelSource source;
  source.cancel(base::Error{ErrorCode::kQueueFull, "jobs"});
  EXPECT_EQ(source.context().err(), ErrorCode::kCanceled);
  EXPECT_EQ(source.context().cause().code, ErrorCode::kQueueFull);
}

TEST(Context, ChildrenEndWithTheirParentAndNotTheOtherWayRound) {
  CancelSource parent;
  CancelSource child(parent.context());
  CancelSource grandchild(child.context());
  CancelSource sibling(parent.context());
  child.cancel("enough");
  EXPECT_TRUE(grandchild.context().is_done());
  EXPECT_EQ(grandchild.context().cause().detail, "enough");
  EXPECT_FALSE(parent.context().is_done());
  EXPECT_FALSE(sibling.context().is_done());
  parent.cancel("all");
  EXPECT_EQ(sibling.context().cause().detail, "all");
  EXPECT_EQ(child.context().cause().detail, "enough");
}

TEST(Context, AChildOfOneThatIsDoneIsDone) {
  CancelSource parent;
  parent.cancel("before");
  CancelSource child(parent.context());
  EXPECT_TRUE(child.context().is_done());
  EXPECT_EQ(child.context().cause().detail, "before");
}

TEST(Context, TheDeadlinePassesInItsOwnTime) {
  ManualExecutor executor;
  const auto deadline = executor.clock().now() + seconds(2);
  CancelSource source({}, executor, deadline);
  EXPECT_EQ(source.context().deadline(), deadline);
  EXPECT_EQ(source.context().describe(executor.clock().now()), "deadline in 2.00 s");
  executor.advance(seconds(1));
  EXPECT_FALSE(source.context().is_done());
  executor.advance(seconds(1));
  EXPECT_EQ(source.context().err(), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(source.context().check().error().code, ErrorCode::kDeadlineExceeded);
}

TEST(Context, TheEarlierDeadlineOfParentAndChildCounts) {
  ManualExecutor executor;
  const auto now = executor.clock().now();
  CancelSource parent({}, executor, now + seconds(1));
  CancelSource later(parent.context(), executor, now + seconds(5));
  EXPECT_EQ(later.context().deadline(), now + seconds(1));
  EXPECT_EQ(executor.timer_count(), 1U);  // the child's could never matter
  executor.advance(seconds(1));
  EXPECT_EQ(later.context().err(), ErrorCode::kDeadlineExceeded);
}

TEST(Context, APastDeadlineIsDoneAtOnce) {
  ManualExecutor executor;
  CancelSource source({}, executor, executor.clock().now());
  EXPECT_EQ(source.context().err(), ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(executor.timer_count(), 0U);
}

TEST(Context, TheEndOfItsSourceCancelsAndTakesTheTimerAway) {
  ManualExecutor executor;
  std::optional<CancelSource> source;
  source.emplace(Context(), executor, executor.clock().now() + seconds(2));
  const Context context = source->context();
  source.reset();
  EXPECT_EQ(context.err(), ErrorCode::kCanceled);
  EXPECT_EQ(executor.timer_count(), 0U);
}

const ContextKey<std::string> kUser;
const ContextKey<std::string> kOther;
const ContextKey<int> kDepth;

TEST(Context, ValuesAreFoundFromBelowAndHiddenByNearerOnes) {
  const Context outer = Context().with_value(kUser, std::string("ada")).with_value(kDepth, 1);
  CancelSource source(outer);
  const Context inner = source.context().with_value(kDepth, 2);
  ASSERT_NE(inner.value(kUser), nullptr);
  EXPECT_EQ(*inner.value(kUser), "ada");
  EXPECT_EQ(*inner.value(kDepth), 2);
  EXPECT_EQ(*outer.value(kDepth), 1);
  EXPECT_EQ(inner.value(kOther), nullptr);
  source.cancel("done");
  EXPECT_TRUE(inner.is_done());
}

TEST(Context, ManyThreadsMayMakeAndEndChildrenWhileTheParentIsCancelled) {
  for (int round = 0; round < 50; ++round) {
    CancelSource parent;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([context = parent.context()] {
        for (int n = 0; n < 100; ++n) {
          CancelSource child(context);
          CancelSource grandchild(child.context());
          grandchild.cancel("mine");
          EXPECT_TRUE(grandchild.context().is_done());
        }
      });
    }
    parent.cancel("race");
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace sluice::async
