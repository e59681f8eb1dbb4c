#include <gtest/gtest.h>

#include "broker/queue/bounded_queue.h"
#include "tests/unit/broker/queue/queue_transcript.h"

namespace sluice::queue {
namespace {

using testing::Transcript;

TEST(BoundedQueue, BlockWaitsInOrderAndMovesInAsRoomComes) {
  Transcript().run(R"(
    queue block m=3
    push 2 -> accepted 2
    push 3 -> accepted 1 waiting 2
    push 1 -> waiting 1
    when -> never
    ledger -> matched 6 queued 3 waiting 3
    room 1 -> no
    next m=1 -> 1-1
    settled -> #2 accepted 1
    next -> 2-2
    settled -> #2 accepted 1
    next m=1 -> 3-3
    settled -> #3 accepted 1
    next -> 4-5
    next -> 6-6
    ledger -> matched 6 delivered 6
    push 1 -> accepted 1
  )");
}

TEST(BoundedQueue, BlockGivesWayToDropOldestAfterItsTime) {
  Transcript().run(R"(
    queue block:50ms,drop_oldest m=2
    push 2 -> accepted 2
    at 10ms
    push 1 -> waiting 1
    when -> 60ms
    at 20ms
    push 3 -> waiting 3
    at 59ms
    when -> 60ms
    at 60ms
    settled -> #2 accepted 1
    ledger -> matched 6 queued 2 waiting 3 dropped_oldest 1
    when -> 70ms
    at 70ms
    settled -> #3 accepted 2 dropped 1 dropped_oldest
    next -> gap dropped_oldest 1-4 count 4 bytes 40
    next -> 5-6
    when -> never
  )");
}

TEST(BoundedQueue, BlockGivesWayToDropNewestAfterItsTime) {
  Transcript().run(R"(
    queue block:50ms,drop_newest m=2
    push 2 -> accepted 2
    push 1 -> waiting 1
    at 20ms
    push 1 -> waiting 1
    at 50ms
    settled -> #2 dropped 1 dropped_newest
    next -> 1-2
    settled -> #3 accepted 1
    next -> gap dropped_newest 3-3 count 1 bytes 10
    next -> 4-4
  )");
}

TEST(BoundedQueue, BlockGivesWayToRejectAndDisconnectAfterItsTime) {
  Transcript().run(R"(
    queue block:50ms,reject m=1
    push 3 -> accepted 1 waiting 2
    at 50ms
    settled -> #1 dropped 2 rejected
    next -> 1-1
    next -> gap rejected 2-3 count 2 bytes 20
    queue block:50ms,disconnect m=1
    push 3 -> accepted 1 waiting 2
    at 99ms
    at 100ms -> disconnect
    close
    settled -> #2 dropped 2 disconnected
    ledger -> matched 3 discarded 3
  )");
}

TEST(BoundedQueue, APushFindsTheTimeOfThoseBeforeItOver) {
  Transcript().run(R"(
    queue block:50ms,drop_newest m=1
    push 2 -> accepted 1 waiting 1
    at 49ms
    queue block:50ms,disconnect m=1
    push 2 -> accepted 1 waiting 1
  )");
  Transcript late;
  BoundedQueue queue({.max_messages = 1, .max_bytes = 1000},
                     parse_ladder("block:50ms,disconnect").value());
  const model::Slice two = testing::make_slice({10, 10});
  queue.push(two, model::PublishToken(1), base::MonotonicTime{});
  const PushResult result =
      queue.push(two, model::PublishToken(2), base::MonotonicTime(std::chrono::milliseconds(50)));
  EXPECT_TRUE(result.disconnect);
  EXPECT_EQ(result.dropped, 2U);
}

TEST(BoundedQueue, NoWaitGoesPastTheDeadlineOfThePublish) {
  Transcript().run(R"(
    queue block:50ms,drop_oldest m=1
    push 1 -> accepted 1
    push 1 -> waiting 1
    push 2 until=20ms -> waiting 2
    push 1 -> waiting 1
    when -> 20ms
    at 20ms
    settled -> #3 dropped 2 expired
    next -> 1-1
    settled -> #2 accepted 1
    next -> 2-2
    settled -> #4 accepted 1
    next -> gap expired 3-4 count 2 bytes 20
    next -> 5-5
    push 2 until=20ms -> dropped 2 expired
  )");
}

TEST(BoundedQueue, ReservedRoomIsKept) {
  Transcript().run(R"(
    queue drop_newest m=4
    reserve 3
    room 1 -> yes
    room 2 -> no
    push 2 -> accepted 1 dropped 1 dropped_newest
    commit 3 -> accepted 3
    next -> 1-1
    next -> gap dropped_newest 2-2 count 1 bytes 10
    next -> 3-5
    reserve 4
    room 1 -> no
    unreserve 4
    room 4 -> yes
  )");
}

TEST(BoundedQueue, WhatWasReservedIsAcceptedEvenBehindWhatWaits) {
  Transcript().run(R"(
    queue block:50ms,drop_newest m=2
    push 1 -> accepted 1
    reserve 1
    push 2 -> waiting 2
    commit 1 -> accepted 1
    ledger -> matched 4 queued 2 waiting 2
    at 50ms
    settled -> #2 accepted 1 dropped 1 dropped_newest
    ledger -> matched 4 queued 3 dropped_newest 1
    next -> 1-1
    next -> 2-2
    next -> gap dropped_newest 3-3 count 1 bytes 10
    next -> 4-4
  )");
}

TEST(BoundedQueue, UnreservedRoomGoesToWhatWaits) {
  Transcript().run(R"(
    queue block m=2
    reserve 2
    push 3 -> waiting 3
    empty -> yes
    when -> never
    unreserve 2
    when -> now
    at 1ms
    when -> never
    settled -> #1 accepted 2
    next -> 1-2
    next -> 3-3
  )");
}

}  // namespace
}  // namespace sluice::queue
