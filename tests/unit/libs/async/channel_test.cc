#include "libs/async/channel.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "libs/async/manual_executor.h"
#include "libs/async/start.h"
#include "libs/async/task.h"

namespace sluice::async {
namespace {

using base::ErrorCode;
using base::Status;

Task<void> send(Channel<int>& channel, Context context, int value, std::string& log) {
  const Status status = co_await channel.send(context, value);
  log += status ? "s" + std::to_string(value) + " "
                : "s:" + std::string(status.error().info().name) + " ";
}

Task<void> receive(Channel<int>& channel, Context context, std::string& log) {
  const base::Result<int> value = co_await channel.receive(context);
  log += value ? "r" + std::to_string(*value) + " "
               : "r:" + std::string(value.error().info().name) + " ";
}

class ChannelTest : public testing::Test {
 protected:
  void begin(Task<void> task) {
    start(executor, std::move(task), [](const Status& status) { EXPECT_TRUE(status); });
    executor.run_ready();
  }
  void begin_send(int value, const Context& context = {}) {
    begin(send(channel, context, value, log));
  }
  void begin_receive(const Context& context = {}) { begin(receive(channel, context, log)); }

  ManualExecutor executor;
  std::string log;
  Channel<int> channel{0};
};

class BoundedChannelTest : public ChannelTest {
 protected:
  void begin_send(int value) { begin(send(bounded, {}, value, log)); }
  void begin_receive() { begin(receive(bounded, {}, log)); }
  Channel<int> bounded{2};
};

TEST_F(ChannelTest, ARendezvousSenderWaitsForTheReceiver) {
  begin_send(1);
  EXPECT_EQ(log, "");
  begin_receive();
  EXPECT_TRUE(log == "r1 s1 " || log == "s1 r1 ") << log;
}

TEST_F(ChannelTest, ARendezvousReceiverWaitsForTheSender) {
  begin_receive();
  EXPECT_EQ(log, "");
  begin_send(2);
  EXPECT_TRUE(log == "r2 s2 " || log == "s2 r2 ") << log;
}

TEST_F(ChannelTest, WaitersAreServedInTheOrderTheyCame) {
  begin_send(1);
  begin_send(2);
  begin_send(3);
  std::vector<int> received;
  while (auto value = channel.try_receive()) received.push_back(*value);
  EXPECT_EQ(received, (std::vector{1, 2, 3}));
  executor.run_ready();
  EXPECT_EQ(log, "s1 s2 s3 ");
}

TEST_F(ChannelTest, TryRefusesWhatWouldWait) {
  EXPECT_EQ(channel.try_send(1).error().code, ErrorCode::kWouldBlock);
  EXPECT_EQ(channel.try_receive().error().code, ErrorCode::kWouldBlock);
  begin_receive();
  EXPECT_TRUE(channel.try_send(5));
  executor.run_ready();
  EXPECT_EQ(log, "r5 ");
}

TEST_F(ChannelTest, ClosingWakesBothSides) {
  begin_send(1);
  channel.close();
  executor.run_ready();
  EXPECT_EQ(log, "s:closed ");
  begin_send(2);
  begin_receive();
  EXPECT_EQ(log, "s:closed s:closed r:closed ");
  EXPECT_EQ(channel.try_send(1).error().code, ErrorCode::kClosed);
  EXPECT_EQ(channel.try_receive().error().code, ErrorCode::kClosed);
  channel.close();
  EXPECT_TRUE(channel.is_closed());
}

TEST_F(ChannelTest, ClosingWakesWaitingReceivers) {
  begin_receive();
  begin_receive();
  channel.close();
  executor.run_ready();
  EXPECT_EQ(log, "r:closed r:closed ");
}

TEST_F(ChannelTest, ADoneContextWakesItsWaiterAndTheValueIsNotSent) {
  CancelSource source;
  begin_send(1, source.context());
  begin_send(2);
  source.cancel();
  executor.run_ready();
  EXPECT_EQ(log, "s:canceled ");
  EXPECT_EQ(channel.try_receive().value(), 2);
  CancelSource other;
  begin_receive(other.context());
  other.cancel();
  executor.run_ready();
  EXPECT_EQ(log, "s:canceled s2 r:canceled ");
  EXPECT_EQ(channel.try_send(3).error().code, ErrorCode::kWouldBlock);
}

TEST_F(ChannelTest, ADoneContextTakesNothing) {
  CancelSource source;
  source.cancel();
  begin_send(1);
  begin_receive(source.context());
  EXPECT_EQ(log, "r:canceled ");
  EXPECT_EQ(channel.try_receive().value(), 1);
  executor.run_ready();
}

TEST_F(BoundedChannelTest, BuffersUpToItsCapacityAndKeepsTheOrder) {
  begin_send(1);
  begin_send(2);
  begin_send(3);
  EXPECT_EQ(log, "s1 s2 ");
  EXPECT_EQ(bounded.size(), 2U);
  begin_receive();  // makes room for the third
  EXPECT_EQ(bounded.size(), 2U);
  begin_receive();
  begin_receive();
  EXPECT_EQ(log, "s1 s2 r1 s3 r2 r3 ");
}

TEST_F(BoundedChannelTest, WhatIsBufferedIsReceivedAfterClose) {
  begin_send(1);
  begin_send(2);
  bounded.close();
  begin_receive();
  begin_receive();
  begin_receive();
  EXPECT_EQ(log, "s1 s2 r1 r2 r:closed ");
}

TEST(Channel, IterationEndsWhenClosedAndEmpty) {
  ManualExecutor executor;
  Channel<std::unique_ptr<int>> channel(8);
  int sum = 0;
  auto consume = [&]() -> Task<void> {
    for (;;) {
      auto value = co_await channel.receive(Context());
      if (!value) break;
      sum += **value;
    }
  };
  bool ended = false;
  start(executor, consume(), [&](const Status&) { ended = true; });
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(channel.try_send(std::make_unique<int>(i)));
  executor.run_ready();
  EXPECT_EQ(sum, 15);
  EXPECT_FALSE(ended);
  channel.close();
  executor.run_ready();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace sluice::async
