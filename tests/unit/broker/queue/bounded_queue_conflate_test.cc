// What conflate keeps: the newest message of every key, whatever else the queue holds.

#include <array>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/queue/bounded_queue.h"
#include "tests/unit/broker/queue/test_batches.h"

namespace sluice::queue {
namespace {

using std::chrono::milliseconds;

constexpr base::MonotonicTime kStart{};

class Conflating : public ::testing::Test {
 protected:
  void make(const char* ladder, std::uint32_t messages, base::Duration max_lag = {}) {
    queue = std::make_unique<BoundedQueue>(
        Bounds{.max_messages = messages, .max_bytes = 1'000'000, .max_lag = max_lag},
        parse_ladder(ladder).value());
  }
  PushResult push(int key, base::MonotonicTime now = kStart) {
    const model::Slice slice = testing::make_slice({20}, false, {}, {key});
    const PushResult result = queue->push(slice, model::PublishToken(++token), now);
    queue->check_invariants();
    return result;
  }
  void fill(int keys, base::MonotonicTime now = kStart) {
    for (int key = 1; key <= keys; ++key) EXPECT_EQ(push(key, now).accepted, 1U);
  }
  std::uint64_t dropped(wire::GapReason reason) const {
    return queue->ledger().dropped[index_of(reason)];
  }
  /// Delivers all: the sequence of the last message of each key.
  std::map<int, std::uint64_t> delivered(base::MonotonicTime now = kStart) {
    std::map<int, std::uint64_t> last;
    Credit credit{.messages = 10'000, .bytes = 1'000'000};
    while (!queue->empty()) {
      const Item item = queue->next(credit, now);
      const auto* delivery = std::get_if<Delivery>(&item);
      if (delivery == nullptr) continue;
      for (std::uint32_t i = 0; i < delivery->slice.count; ++i) {
        const auto keys = conflation_keys(delivery->slice, true);
        last[keys[i].key.at(0)] = delivery->sequence + i;
      }
    }
    return last;
  }

  std::array<model::TopicNode, 10> topics;  // longer than what holds them
  std::unique_ptr<BoundedQueue> queue;
  std::uint64_t token = 0;
};

TEST_F(Conflating, UpdatesOfOneKeyCostNoOtherKeyItsNewest) {
  for (const char* const ladder : {"conflate:key,drop_oldest", "conflate:key,drop_newest"}) {
    for (std::uint32_t i = 0; i < topics.size(); ++i) topics[i].slot = model::TopicSlot(i);
    make(ladder, 1000);
    std::vector<std::uint32_t> sizes(100, 20);
    for (int batch = 0; batch < 10; ++batch) {
      std::vector<int> keys;
      // Keys of test batches have one byte: a topic of its own for each hundred.
      for (int key = 1; key <= 100; ++key) keys.push_back(key);
      model::Slice slice = testing::make_slice(sizes, false, {}, keys);
      slice.topic = model::TopicRef(topics[static_cast<std::size_t>(batch)]);
      EXPECT_EQ(queue->push(slice, model::PublishToken(++token), kStart).accepted, 100U);
    }
    for (int update = 0; update < 100; ++update) {
      model::Slice slice = testing::make_slice({20}, false, {}, {42});
      slice.topic = model::TopicRef(topics[3]);
      EXPECT_EQ(queue->push(slice, model::PublishToken(++token), kStart).accepted, 1U) << ladder;
      queue->check_invariants();
    }
    EXPECT_EQ(queue->queued(), 1000U) << ladder;
    EXPECT_EQ(dropped(wire::GapReason::kConflated), 100U) << ladder;
    EXPECT_EQ(queue->ledger().dropped_total(), 100U) << ladder;
    queue.reset();
  }
}

TEST_F(Conflating, AKeyOneTooManyDoesNotKeepOthersFromTheirNewest) {
  make("conflate:key,drop_newest", 16);
  fill(16);
  EXPECT_EQ(push(17).dropped, 1U);
  EXPECT_EQ(push(15).accepted, 1U);
  auto last = delivered();
  EXPECT_EQ(last.size(), 16U);
  EXPECT_EQ(last[15], 18U);

  make("conflate:key,drop_oldest", 16);
  fill(16);
  EXPECT_EQ(push(17).displaced, 1U);
  const PushResult result = push(15);
  EXPECT_EQ(result.accepted, 1U);
  EXPECT_EQ(result.displaced, 0U);
  last = delivered();
  EXPECT_EQ(last.size(), 16U);
  EXPECT_EQ(last.count(1), 0U);
  EXPECT_EQ(last[15], 18U);
}

// What waits stands before it, so it waits as well: order is kept. What can take the place of
// another does not wait when nothing stands before it.
TEST_F(Conflating, BeforeABlockOnlyWhatCanReplaceNothingWaits) {
  make("conflate:key,block", 16);
  fill(16);
  EXPECT_EQ(push(15).accepted, 1U);
  EXPECT_EQ(push(17).waiting, 1U);
  EXPECT_EQ(push(15).waiting, 1U);
  Credit credit{.messages = 1, .bytes = 1000};
  EXPECT_TRUE(std::holds_alternative<Delivery>(queue->next(credit, kStart)));
  EXPECT_EQ(queue->ledger().waiting, 0U);
  EXPECT_EQ(delivered()[15], 19U);
  EXPECT_EQ(dropped(wire::GapReason::kConflated), 2U);
  EXPECT_EQ(queue->ledger().dropped_total(), 2U);
}

TEST_F(Conflating, AnOldMessageIsReplacedBeforeItsAgeMakesTheQueueFull) {
  make("conflate:key,drop_newest", 4, milliseconds(10));
  EXPECT_EQ(push(1).accepted, 1U);
  const base::MonotonicTime later = kStart + milliseconds(20);
  EXPECT_EQ(push(1, later).accepted, 1U);
  EXPECT_EQ(dropped(wire::GapReason::kConflated), 1U);
  EXPECT_EQ(queue->ledger().dropped_total(), 1U);
  EXPECT_EQ(queue->lag(later), base::Duration(0));
}

TEST_F(Conflating, AnyStepMayStandBehindOrBeforeIt) {
  make("block:20ms,conflate:key,disconnect", 2);
  fill(2);
  EXPECT_EQ(push(1).waiting, 1U);
  EXPECT_FALSE(queue->on_time(kStart + milliseconds(20)));
  EXPECT_EQ(queue->take_settled().at(0).accepted, 1U);
  EXPECT_EQ(push(3, kStart + milliseconds(20)).waiting, 1U);
  EXPECT_TRUE(queue->on_time(kStart + milliseconds(40)));

  make("conflate:key,reject", 2);
  fill(2);
  EXPECT_EQ(push(2).accepted, 1U);
  const PushResult refused = push(3);
  EXPECT_EQ(refused.dropped, 1U);
  EXPECT_EQ(refused.drop_reason, wire::GapReason::kRejected);
}

}  // namespace
}  // namespace sluice::queue
