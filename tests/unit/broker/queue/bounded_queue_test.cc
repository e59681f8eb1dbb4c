// Each test is a transcript: a command, and behind the arrow what it must answer.
//
//   queue LADDER [m=MESSAGES] [b=BYTES] [lag=TIME]     sizes are of records; see also `size`
//   push N [size=BYTES] [until=TIME]                   one batch; its token counts up from 1
//   next [m=] [b=] [limit=]    back FIRST-LAST    at TIME (on_time)    when (next_time)
//   settled    ledger    room N    reserve N    unreserve N    commit N    held    close    empty

#include "broker/queue/bounded_queue.h"

#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <sstream>
#include <string>

#include "libs/base/units.h"
#include "tests/unit/broker/queue/test_batches.h"

namespace sluice::queue {
namespace {

std::string reason_name(wire::GapReason reason) { return std::string(gap_reason_name(reason)); }

class Transcript {
 public:
  void run(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t start = line.find_first_not_of(' ');
      if (start == std::string::npos) continue;
      const std::size_t arrow = line.find(" -> ");
      const std::string command = line.substr(start, arrow - start);
      const std::string expected = arrow == std::string::npos ? "" : line.substr(arrow + 4);
      EXPECT_EQ(execute(command), expected) << "in: " << command;
      if (queue_) queue_->check_invariants();
    }
  }

 private:
  using Options = std::map<std::string, std::string>;

  std::string execute(const std::string& command) {
    std::istringstream words(command);
    std::string verb;
    words >> verb;
    argument_.clear();
    options_.clear();
    for (std::string word; words >> word;) {
      const std::size_t equals = word.find('=');
      if (equals == std::string::npos) {
        argument_ = word;
      } else {
        options_[word.substr(0, equals)] = word.substr(equals + 1);
      }
    }
    return dispatch(verb);
  }

  std::string dispatch(const std::string& verb) {
    if (verb == "queue") return make_queue();
    if (verb == "push") return push();
    if (verb == "next") return next();
    if (verb == "back") return put_back();
    if (verb == "at") return at();
    if (verb == "when") return show(queue_->next_time());
    if (verb == "settled") return settled();
    if (verb == "ledger") return ledger();
    if (verb == "room") return queue_->has_room(count(), count() * size(), now_) ? "yes" : "no";
    if (verb == "reserve") return queue_->reserve(count(), count() * size()), "";
    if (verb == "unreserve") return queue_->unreserve(count(), count() * size()), "";
    if (verb == "commit") return show(queue_->push_reserved(slice(), now_));
    if (verb == "held") return std::to_string(queue_->held_bytes());
    if (verb == "close") return queue_->close(), "";
    if (verb == "empty") return queue_->empty() ? "yes" : "no";
    if (verb == "lag") return base::format_duration(queue_->lag(now_));
    ADD_FAILURE() << "unknown command " << verb;
    return {};
  }

  std::uint32_t count() const { return static_cast<std::uint32_t>(std::stoul(argument_)); }
  std::uint64_t number(const std::string& key, std::uint64_t otherwise) const {
    const auto found = options_.find(key);
    return found == options_.end() ? otherwise : std::stoull(found->second);
  }
  base::Duration time(const std::string& text) const { return base::parse_duration(text).value(); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(number("size", 10)); }
  model::Slice slice() const {
    return testing::make_slice(std::vector<std::uint32_t>(count(), size()), options_.contains("z"));
  }

  std::string make_queue() {
    Bounds bounds{.max_messages = static_cast<std::uint32_t>(number("m", 1000)),
                  .max_bytes = number("b", 1'000'000)};
    if (options_.contains("lag")) bounds.max_lag = time(options_["lag"]);
    queue_.emplace(bounds, parse_ladder(argument_).value());
    return "";
  }

  std::string push() {
    const auto deadline =
        options_.contains("until") ? base::MonotonicTime(time(options_["until"])) : base::kNever;
    return show(queue_->push(slice(), model::PublishToken(++token_), now_, deadline));
  }

  static std::string show(const PushResult& result) {
    std::string out;
    const auto add = [&](const char* name, std::uint32_t value) {
      if (value > 0)
        out += (out.empty() ? "" : " ") + std::string(name) + " " + std::to_string(value);
    };
    add("accepted", result.accepted);
    add("dropped", result.dropped);
    if (result.dropped > 0) out += " " + reason_name(result.drop_reason);
    add("waiting", result.waiting);
    add("displaced", result.displaced);
    if (result.disconnect) out += " disconnect";
    return out;
  }

  static std::string range(std::uint64_t first, std::uint64_t last) {
    return std::to_string(first) + "-" + std::to_string(last);
  }

  std::string next() {
    Credit credit{.messages = number("m", 1000),
                  .bytes = static_cast<std::int64_t>(number("b", 1'000'000))};
    const Credit before = credit;
    const Item item =
        queue_->next(credit, now_, static_cast<std::uint32_t>(number("limit", UINT32_MAX)));
    if (const auto* gap = std::get_if<Gap>(&item)) {
      return "gap " + reason_name(gap->reason) + " " + range(gap->first, gap->last) + " count " +
             std::to_string(gap->count) + " bytes " + std::to_string(gap->bytes);
    }
    const auto* delivery = std::get_if<Delivery>(&item);
    if (delivery == nullptr) return "nothing";
    const model::Slice& sent = delivery->slice;
    EXPECT_EQ(before.messages - credit.messages, sent.count);
    EXPECT_EQ(before.bytes - credit.bytes, sent.records);
    delivered_[delivery->sequence] = sent;
    return range(delivery->sequence, delivery->sequence + sent.count - 1);
  }

  std::string put_back() {
    const std::uint64_t first = std::stoull(argument_);
    queue_->put_back(delivered_.at(first), first, now_);
    delivered_.erase(first);
    return "";
  }

  std::string at() {
    now_ = base::MonotonicTime(time(argument_));
    return queue_->on_time(now_) ? "disconnect" : "";
  }

  static std::string show(base::MonotonicTime time) {
    if (time == base::kNever) return "never";
    if (time == base::MonotonicTime::min()) return "now";
    return base::format_duration(time.time_since_epoch());
  }

  std::string settled() {
    std::string out;
    EXPECT_EQ(queue_->has_settled(), true) << "nothing settled";
    for (const Settled& one : queue_->take_settled()) {
      out += (out.empty() ? "" : ", ") + ("#" + std::to_string(one.token.value()));
      if (one.accepted > 0) out += " accepted " + std::to_string(one.accepted);
      if (one.dropped > 0) {
        out += " dropped " + std::to_string(one.dropped) + " " + reason_name(one.drop_reason);
      }
    }
    EXPECT_FALSE(queue_->has_settled());
    return out;
  }

  std::string ledger() {
    const Ledger ledger = queue_->ledger();
    std::string out = "matched " + std::to_string(ledger.matched);
    const auto add = [&](const std::string& name, std::uint64_t value) {
      if (value > 0) out += " " + name + " " + std::to_string(value);
    };
    add("delivered", ledger.delivered);
    add("queued", ledger.queued);
    add("waiting", ledger.waiting);
    add("discarded", ledger.discarded);
    for (std::size_t i = 0; i < kGapReasons; ++i) {
      add(reason_name(static_cast<wire::GapReason>(i + 1)), ledger.dropped[i]);
    }
    return out;
  }

  std::optional<BoundedQueue> queue_;
  base::MonotonicTime now_{};
  std::uint64_t token_ = 0;
  std::map<std::uint64_t, model::Slice> delivered_;
  std::string argument_;
  Options options_;
};

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
