#include <array>
#include <atomic>
#include <gtest/gtest.h>
#include <memory>
#include <vector>

#include "libs/async/channel.h"
#include "libs/async/scope.h"
#include "libs/async/thread_executor.h"

namespace sluice::async {
namespace {

using base::Status;

constexpr int kProducers = 3;
constexpr int kConsumers = 3;
constexpr int kValues = 2000;

Task<Status> produce(Channel<int>& channel, int first) {
  for (int i = 0; i < kValues; ++i) {
    Status sent = co_await channel.send(Context(), first + i);
    if (!sent) co_return sent;
  }
  co_return Status();
}

Task<Status> consume(Channel<int>& channel, std::vector<std::atomic<int>>& seen) {
  for (;;) {
    auto value = co_await channel.receive(Context());
    if (!value) break;
    seen[static_cast<std::size_t>(*value)].fetch_add(1);
  }
  co_return Status();
}

// Producers and consumers on executors of their own: every value arrives exactly once.
void exchange(std::size_t capacity) {
  Channel<int> channel(capacity);
  std::vector<std::atomic<int>> seen(kProducers * kValues);
  std::array<ThreadExecutor, kProducers + kConsumers> executors;
  std::atomic<int> producers_left{kProducers};
  std::atomic<int> failed{0};
  for (int i = 0; i < kProducers; ++i) {
    start(executors[static_cast<std::size_t>(i)], produce(channel, i * kValues),
          [&](const base::Result<Status>& result) {
            if (!result || !*result) ++failed;
            if (--producers_left == 0) channel.close();
          });
  }
  std::atomic<int> consumers_left{kConsumers};
  std::atomic<bool> all_done{false};
  for (int i = 0; i < kConsumers; ++i) {
    start(executors[static_cast<std::size_t>(kProducers + i)], consume(channel, seen),
          [&](const base::Result<Status>&) {
            if (--consumers_left == 0) {
              all_done = true;
              all_done.notify_one();
            }
          });
  }
  all_done.wait(false);
  EXPECT_EQ(failed, 0);
  for (const std::atomic<int>& count : seen) ASSERT_EQ(count, 1);
}

TEST(ChannelStress, ARendezvousAcrossThreadsLosesNothing) { exchange(0); }

TEST(ChannelStress, ABoundedChannelAcrossThreadsLosesNothing) { exchange(16); }

TEST(ChannelStress, CancellingWhileValuesPassWakesEachWaiterOnce) {
  for (int round = 0; round < 200; ++round) {
    Channel<int> channel(0);
    ThreadExecutor sending;
    ThreadExecutor receiving;
    CancelSource source;
    std::atomic<int> sent{0};
    std::atomic<int> received{0};
    auto sender = [&](Context context) -> Task<void> {
      for (;;) {
        const Status status = co_await channel.send(context, 1);
        if (!status) break;
        ++sent;
      }
    };
    auto receiver = [&](Context context) -> Task<void> {
      for (;;) {
        const auto value = co_await channel.receive(context);
        if (!value) break;
        ++received;
      }
    };
    std::atomic<int> ended{0};
    auto done = [&](const Status&) {
      ++ended;
      ended.notify_one();
    };
    start(sending, sender(source.context()), done);
    start(receiving, receiver(source.context()), done);
    while (received < 3) std::this_thread::yield();
    source.cancel();
    for (int now = ended; now < 2; now = ended) ended.wait(now);
    EXPECT_EQ(sent, received);
  }
}

}  // namespace
}  // namespace sluice::async
