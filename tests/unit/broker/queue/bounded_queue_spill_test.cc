// A message of 10 bytes by itself counts 138 in the spill; what goes on from it 10 more each.
#include <gtest/gtest.h>

#include "broker/queue/bounded_queue.h"
#include "tests/unit/broker/queue/queue_transcript.h"

namespace sluice::queue {
namespace {

using testing::Transcript;

TEST(Spilling, WhatHasNoRoomGoesToTheSpillAndComesBackInOrder) {
  Transcript().run(R"(
    queue spill:1KiB,drop_newest m=2
    push 1 -> accepted 1
    push 3 -> accepted 3 spilled 2
    push 1 -> accepted 1 spilled 1
    spilled -> 286
    kept -> 2
    ledger -> matched 5 queued 2 spilled 3
    next m=1 -> 1-1
    ledger -> matched 5 delivered 1 queued 2 spilled 2
    push 1 -> accepted 1 spilled 1
    next -> 2-3
    next -> 4-4
    next -> 5-5
    next -> 6-6
    next -> nothing
    kept -> 0
    spilled -> 0
    push 2 -> accepted 2
  )");
}

TEST(Spilling, AFullSpillHandsOverToTheNextStep) {
  Transcript().run(R"(
    queue spill:150B,drop_newest m=1
    push 4 -> accepted 3 spilled 2 dropped 1 dropped_newest
    next -> 1-1
    next -> 2-2
    next -> 3-3
    next -> gap dropped_newest 4-4 count 1 bytes 10
  )");
  Transcript().run(R"(
    queue spill:150B,reject m=1
    push 4 -> accepted 3 spilled 2 dropped 1 rejected
  )");
  Transcript().run(R"(
    queue spill:150B,disconnect m=1
    push 4 -> accepted 3 spilled 2 dropped 1 disconnected disconnect
    close
    ledger -> matched 4 discarded 3 disconnected 1
    kept -> 0
  )");
}

TEST(Spilling, DropOldestDropsWhatIsOldestOfAll) {
  Transcript().run(R"(
    queue spill:150B,drop_oldest m=1
    push 3 -> accepted 3 spilled 2
    push 1 -> accepted 1 spilled 1 displaced 2
    ledger -> matched 4 queued 1 spilled 1 dropped_oldest 2
    next -> gap dropped_oldest 1-2 count 2 bytes 20
    next -> 3-3
    next -> 4-4
  )");
}

TEST(Spilling, ABlockBehindItWaitsForRoomInTheSpill) {
  Transcript().run(R"(
    queue spill:150B,block m=1
    push 4 -> accepted 3 spilled 2 waiting 1
    next -> 1-1
    settled -> #1 accepted 1 spilled 1
    ledger -> matched 4 delivered 1 queued 1 spilled 2
    next -> 2-2
    next -> 3-3
    next -> 4-4
  )");
}

TEST(Spilling, ABlockBeforeItIsWaitedForFirst) {
  Transcript().run(R"(
    queue block:20ms,spill:150B,drop_newest m=1
    push 1 -> accepted 1
    push 4 -> waiting 4
    at 20ms
    settled -> #2 accepted 2 spilled 2 dropped 2 dropped_newest
    ledger -> matched 5 queued 1 spilled 2 dropped_newest 2
    push 1 -> waiting 1
    next -> 1-1
    next -> 2-2
    next -> 3-3
    next -> gap dropped_newest 4-5 count 2 bytes 20
    settled -> #3 accepted 1
    next -> 6-6
  )");
}

TEST(Spilling, AStoreThatRefusesIsAFullOne) {
  Transcript().run(R"(
    queue spill:1KiB,drop_newest m=1
    store full
    push 2 -> accepted 1 dropped 1 dropped_newest
    store well
    push 1 -> accepted 1 spilled 1
  )");
}

TEST(Spilling, WhatIsBeingReadKeepsItsPlace) {
  Transcript().run(R"(
    queue spill:1KiB,drop_newest m=1
    push 2 -> accepted 2 spilled 1
    store late
    next -> 1-1
    awaits -> yes
    next -> nothing
    empty -> yes
    push 1 -> accepted 1 spilled 1
    store well
    at 1ms
    awaits -> no
    next -> 2-2
    next -> 3-3
  )");
}

TEST(Spilling, WhatTheStoreLostIsAGap) {
  Transcript().run(R"(
    queue spill:1KiB,drop_newest m=1
    push 3 -> accepted 3 spilled 2
    store lost
    next -> 1-1
    ledger -> matched 3 delivered 1 spill_lost 2
    next -> gap spill_lost 2-3 count 2 bytes 20
  )");
}

TEST(Spilling, WhatIsSpilledCanBeWithdrawnAndExpires) {
  Transcript().run(R"(
    queue spill:1KiB,drop_newest m=1
    push 1 -> accepted 1
    push 2 -> accepted 2 spilled 2
    push 2 until=20ms -> accepted 2 spilled 2
    push 1 -> accepted 1 spilled 1
    withdraw 2 -> 2
    when -> 20ms
    at 20ms
    kept -> 1
    ledger -> matched 6 queued 1 spilled 1 expired 2 cancelled 2
    next -> 1-1
    next -> gap expired 4-5 count 2 bytes 20
    next -> gap cancelled 2-3 count 2 bytes 20
    next -> 6-6
  )");
}

// 20 000 spilled slices that expire one by one are not walked at every point of the grid.
TEST(Spilling, ALongSpillRestsBetweenSweeps) {
  testing::ManualSpillStore store;
  BoundedQueue queue({.max_messages = 1, .max_bytes = 1 << 20},
                     parse_ladder("spill:4MiB,reject").value(), &store, 1);
  const auto push = [&](int deadline_ms) {
    model::Slice slice = testing::make_slice({10});
    slice.origin.publish = static_cast<std::uint64_t>(deadline_ms) + 1;
    queue.push(slice, model::PublishToken(1), base::MonotonicTime{},
               base::MonotonicTime{std::chrono::milliseconds(deadline_ms)});
  };
  for (int i = 0; i <= 20'000; ++i) push(10 + i);
  int sweeps = 0;
  for (base::MonotonicTime at; (at = queue.next_time()) < base::kNever; ++sweeps) queue.on_time(at);
  EXPECT_LT(sweeps, 500);  // of 2000 points
  EXPECT_EQ(queue.ledger().dropped[index_of(wire::GapReason::kExpired)], 20001U);
  EXPECT_EQ(store.kept(), 0U);
}

TEST(Spilling, AReservationMayBeMetByTheSpill) {
  Transcript().run(R"(
    queue spill:300B,drop_newest m=1
    push 1 -> accepted 1
    room 5 -> yes
    room 20 -> no
    reserve 5
    room 5 -> no
    push 1 -> accepted 1 spilled 1
    store full
    commit 5 -> accepted 5 spilled 5
    store well
    ledger -> matched 7 queued 1 spilled 6
    next -> 1-1
    next -> 2-2
    next -> 3-3
  )");
}

TEST(Spilling, WhileMemoryIsShortNothingIsSpilledToMemory) {
  Transcript().run(R"(
    queue spill:1KiB,drop_oldest m=1 b=1000
    push 1 -> accepted 1
    push 1 -> accepted 1 spilled 1
    ceiling 200 -> 1
    ledger -> matched 2 queued 1 squeezed 1
    push 1 -> accepted 1 displaced 1
    ceiling none -> 0
    push 1 -> accepted 1 spilled 1
  )");
  Transcript().run(R"(
    queue spill:1KiB,drop_oldest m=1 b=1000
    store disk
    push 1 -> accepted 1
    push 1 -> accepted 1 spilled 1
    ceiling 200 -> 0
    push 1 -> accepted 1 spilled 1
  )");
}

TEST(Spilling, ItsAgeMakesTheQueueFullAndIsBounded) {
  Transcript().run(R"(
    queue spill:1KiB,drop_oldest m=1 lag=20ms
    push 1 -> accepted 1
    at 10ms
    push 1 -> accepted 1 spilled 1
    lag -> 10ms
    when -> 20ms1ns
    at 21ms
    ledger -> matched 2 queued 1 lagged 1
    at 31ms
    ledger -> matched 2 lagged 2
    kept -> 0
  )");
}

}  // namespace
}  // namespace sluice::queue
