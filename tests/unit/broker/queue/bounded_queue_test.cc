#include "broker/queue/bounded_queue.h"

#include <gtest/gtest.h>
#include <vector>

#include "tests/unit/broker/queue/queue_transcript.h"

namespace sluice::queue {
namespace {

using testing::Transcript;

TEST(BoundedQueue, DeliversInOrderWithinCredit) {
  Transcript().run(R"(
    queue drop_oldest
    empty -> yes
    next -> nothing
    push 5 -> accepted 5
    push 2 -> accepted 2
    empty -> no
    held -> 326
    next m=2 -> 1-2
    next m=0 -> nothing
    next b=0 -> nothing
    next b=10 -> 3-3
    next b=11 -> 4-5
    held -> 148
    next limit=1 -> 6-6
    next limit=0 -> nothing
    next -> 7-7
    held -> 0
    next -> nothing
    ledger -> matched 7 delivered 7
  )");
}

TEST(BoundedQueue, DropOldestMakesRoomAtTheFront) {
  Transcript().run(R"(
    queue drop_oldest m=4
    push 3 -> accepted 3
    push 2 -> accepted 2 displaced 1
    push 2 -> accepted 2 displaced 2
    ledger -> matched 7 queued 4 dropped_oldest 3
    next m=0 -> nothing
    next -> gap dropped_oldest 1-3 count 3 bytes 30
    next -> 4-5
    push 4 -> accepted 4 displaced 2
    next -> gap dropped_oldest 6-7 count 2 bytes 20
    next -> 8-11
    ledger -> matched 11 delivered 6 dropped_oldest 5
  )");
}

TEST(BoundedQueue, DropOldestKeepsTheNewestOfAPushThatIsTooMany) {
  Transcript().run(R"(
    queue drop_oldest m=3
    push 1 -> accepted 1
    push 5 -> accepted 3 dropped 2 dropped_oldest displaced 1
    next -> gap dropped_oldest 1-3 count 3 bytes 30
    next -> 4-6
    queue drop_oldest b=168
    push 2 -> accepted 2
    push 6 -> accepted 4 dropped 2 dropped_oldest displaced 2
    held -> 168
    next -> gap dropped_oldest 1-4 count 4 bytes 40
    next -> 5-8
  )");
}

TEST(BoundedQueue, DropOldestCountsBookkeeping) {
  Transcript().run(R"(
    queue drop_oldest b=300
    push 1 -> accepted 1
    push 1 -> accepted 1
    push 1 -> accepted 1 displaced 1
    held -> 276
    push 2 -> accepted 2 displaced 1
    push 3 -> accepted 3 displaced 2
    held -> 296
    next -> gap dropped_oldest 1-4 count 4 bytes 40
    next -> 5-5
    next -> 6-8
  )");
}

TEST(BoundedQueue, DropNewestKeepsWhatIsQueued) {
  Transcript().run(R"(
    queue drop_newest m=4
    push 3 -> accepted 3
    push 3 -> accepted 1 dropped 2 dropped_newest
    push 1 -> dropped 1 dropped_newest
    next m=2 -> 1-2
    push 1 -> accepted 1
    push 2 -> accepted 1 dropped 1 dropped_newest
    next -> 3-3
    next -> 4-4
    next -> gap dropped_newest 5-7 count 3 bytes 30
    next -> 8-8
    next -> 9-9
    empty -> no
    next m=0 -> nothing
    next -> gap dropped_newest 10-10 count 1 bytes 10
    empty -> yes
    ledger -> matched 10 delivered 6 dropped_newest 4
  )");
}

TEST(BoundedQueue, RejectIsAskedBeforeAndSafeBehind) {
  Transcript().run(R"(
    queue reject m=3 b=400
    room 3 -> yes
    room 4 -> no
    push 2 -> accepted 2
    room 1 -> yes
    room 2 -> no
    push 2 -> dropped 2 rejected
    next -> 1-2
    next -> gap rejected 3-4 count 2 bytes 20
    room 3 size=91 -> no
    room 3 size=90 -> yes
  )");
}

TEST(BoundedQueue, DisconnectQueuesNothingOfTheLastPush) {
  Transcript().run(R"(
    queue disconnect m=3
    push 3 -> accepted 3
    push 1 -> dropped 1 disconnected disconnect
    ledger -> matched 4 queued 3 disconnected 1
    close
    ledger -> matched 4 discarded 3 disconnected 1
    next -> nothing
  )");
}

TEST(BoundedQueue, WhatCanNeverFitIsAGapWhateverTheLadder) {
  for (const char* const ladder : {"block", "drop_oldest", "drop_newest", "reject", "disconnect"}) {
    Transcript().run("queue " + std::string(ladder) + R"( b=200
      push 1 size=73 -> dropped 1 too_large
      push 1 size=72 -> accepted 1
      next -> gap too_large 1-1 count 1 bytes 73
      next -> 2-2
      ledger -> matched 2 delivered 1 too_large 1
    )");
  }
}

TEST(BoundedQueue, WhatCanNeverFitDividesItsBatch) {
  BoundedQueue queue({.max_messages = 10, .max_bytes = 400}, parse_ladder("drop_newest").value());
  // 128 + 300 never fits, so nothing here does by its sum; each of these alone does.
  const PushResult result = queue.push(testing::make_slice({100, 20, 100, 100}),
                                       model::PublishToken(1), base::MonotonicTime{});
  EXPECT_EQ(result.accepted, 3U);
  EXPECT_EQ(result.dropped, 1U);
  EXPECT_EQ(result.drop_reason, wire::GapReason::kDroppedNewest);
  BoundedQueue narrow({.max_messages = 10, .max_bytes = 200}, parse_ladder("drop_oldest").value());
  const PushResult mixed = narrow.push(testing::make_slice({20, 100, 30, 40, 100}),
                                       model::PublishToken(1), base::MonotonicTime{});
  EXPECT_EQ(mixed.accepted, 2U);
  EXPECT_EQ(mixed.dropped, 3U);
  const Ledger ledger = narrow.ledger();
  EXPECT_EQ(ledger.dropped[index_of(wire::GapReason::kTooLarge)], 2U);
  EXPECT_EQ(ledger.dropped[index_of(wire::GapReason::kDroppedOldest)], 1U);
  narrow.check_invariants();
}

TEST(BoundedQueue, LagDropsWhatIsTooOld) {
  Transcript().run(R"(
    queue drop_oldest lag=100ms
    push 2 -> accepted 2
    at 50ms
    push 1 -> accepted 1
    lag -> 50ms
    when -> 100ms1ns
    at 100ms
    ledger -> matched 3 queued 3
    at 100ms1ns
    ledger -> matched 3 queued 1 lagged 2
    at 200ms
    push 1 -> accepted 1
    next -> gap lagged 1-3 count 3 bytes 30
    next -> 4-4
  )");
}

TEST(BoundedQueue, LagIsFullForTheOtherSteps) {
  Transcript().run(R"(
    queue drop_newest lag=100ms
    push 1 -> accepted 1
    at 101ms
    push 1 -> dropped 1 dropped_newest
    when -> never
    next -> 1-1
    push 1 -> accepted 1
    queue reject lag=100ms
    push 1 -> accepted 1
    room 1 -> yes
    at 202ms
    room 1 -> no
    queue block lag=100ms
    push 1 -> accepted 1
    at 303ms
    push 1 -> waiting 1
    next -> 1-1
    settled -> #6 accepted 1
    queue disconnect lag=100ms
    push 1 -> accepted 1
    at 404ms -> disconnect
    push 1 -> dropped 1 disconnected disconnect
  )");
}

TEST(BoundedQueue, GapsOfOneHoleAreToldByReason) {
  Transcript().run(R"(
    queue block:50ms,drop_newest m=1 b=200
    push 1 -> accepted 1
    push 2 -> waiting 2
    push 1 size=100 -> dropped 1 too_large
    at 50ms
    push 1 size=100 -> dropped 1 too_large
    next -> 1-1
    next -> gap dropped_newest 2-3 count 2 bytes 20
    next -> gap too_large 4-5 count 2 bytes 200
    next -> nothing
  )");
}

TEST(BoundedQueue, HolesWithNothingBetweenBecomeOne) {
  Transcript().run(R"(
    queue drop_oldest m=1 b=200
    push 1 size=100 -> dropped 1 too_large
    push 1 -> accepted 1
    push 1 size=100 -> dropped 1 too_large
    push 1 -> accepted 1 displaced 1
    next -> gap dropped_oldest 2-2 count 1 bytes 10
    next -> gap too_large 1-3 count 2 bytes 200
    next -> 4-4
  )");
}

TEST(BoundedQueue, PutBackRestoresTheOrder) {
  Transcript().run(R"(
    queue drop_oldest m=6
    push 6 -> accepted 6
    next m=2 -> 1-2
    next m=2 -> 3-4
    held -> 148
    back 3-4
    held -> 168
    back 1-2
    held -> 188
    ledger -> matched 6 queued 6
    next m=3 -> 1-3
    next m=1 -> 4-4
    back 1-3
    back 4-4
    next -> 1-6
  )");
}

TEST(BoundedQueue, PutBackMayExceedTheBoundsUntilTheNextPush) {
  Transcript().run(R"(
    queue drop_oldest m=2
    push 2 -> accepted 2
    next -> 1-2
    push 2 -> accepted 2
    back 1-2
    ledger -> matched 4 queued 4
    push 1 -> accepted 1 displaced 3
    next -> gap dropped_oldest 1-3 count 3 bytes 30
    next -> 4-4
  )");
}

TEST(BoundedQueue, PutBackStandsBeforeGapsThatCameLater) {
  Transcript().run(R"(
    queue drop_oldest m=3
    push 3 -> accepted 3
    next m=2 -> 1-2
    push 3 -> accepted 3 displaced 1
    back 1-2
    next -> 1-2
    next -> gap dropped_oldest 3-3 count 1 bytes 10
    next -> 4-6
  )");
}

TEST(BoundedQueue, PutBackDoesNotReopenGapsAlreadyTold) {
  Transcript().run(R"(
    queue drop_oldest m=2
    push 3 -> accepted 2 dropped 1 dropped_oldest
    next -> gap dropped_oldest 1-1 count 1 bytes 10
    next m=1 -> 2-2
    back 2-2
    push 1 -> accepted 1 displaced 1
    next -> gap dropped_oldest 2-2 count 1 bytes 10
    next -> 3-3
  )");
}

TEST(BoundedQueue, CloseAccountsForEverythingHeld) {
  Transcript().run(R"(
    queue block m=2
    push 2 -> accepted 2
    next m=1 -> 1-1
    push 3 -> accepted 1 waiting 2
    close
    settled -> #2 dropped 2 disconnected
    ledger -> matched 5 delivered 1 discarded 4
    held -> 0
    empty -> yes
    when -> never
  )");
}

TEST(BoundedQueue, CompressedBatchesAreCutToo) {
  Transcript().run(R"(
    queue drop_oldest m=3
    push 5 z=1 -> accepted 3 dropped 2 dropped_oldest
    next -> gap dropped_oldest 1-2 count 2 bytes 20
    next b=15 -> 3-4
    next -> 5-5
    held -> 0
  )");
}

TEST(BoundedQueue, IsSmallAndHoldsNothingMoreWhenIdle) {
  EXPECT_LE(sizeof(BoundedQueue), 200U);
  BoundedQueue queue({.max_messages = 100, .max_bytes = 100'000}, parse_ladder("block").value());
  EXPECT_EQ(queue.memory_bytes(), 0U);
  const model::Slice slice = testing::make_slice(std::vector<std::uint32_t>(60, 10));
  queue.push(slice, model::PublishToken(1), base::MonotonicTime{});
  queue.push(slice, model::PublishToken(2), base::MonotonicTime{});
  Credit credit{.messages = 1000, .bytes = 1'000'000};
  while (!queue.empty()) queue.next(credit, base::MonotonicTime{});
  queue.take_settled();
  EXPECT_GT(queue.memory_bytes(), 0U);
  queue.shrink();
  EXPECT_EQ(queue.memory_bytes(), 0U);
  queue.check_invariants();
}

}  // namespace
}  // namespace sluice::queue
