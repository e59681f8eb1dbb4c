#include <gtest/gtest.h>
#include <sluice/blocking.h>
#include <string>
#include <vector>

#include "tests/unit/client/fake_broker.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing_support::Behaviour;
using testing_support::FakeBroker;
using testing_support::Seen;

// The events of a client, which come from its own thread.
class EventLog {
 public:
  void add(const ConnectionEvent& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }
  std::optional<ConnectionEvent> wait_for(ConnectionState state) {
    std::unique_lock lock(mutex_);
    std::optional<ConnectionEvent> found;
    changed_.wait_for(lock, seconds(10), [&] {
      for (const ConnectionEvent& event : events_) {
        if (event.state == state) found = event;
      }
      return found.has_value();
    });
    return found;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ConnectionEvent> events_;
};

class ClientTest : public testing::Test {
 protected:
  blocking::Client connect(ClientOptions options = {}) {
    options.server = broker.address();
    options.reconnect_min = milliseconds(1);
    options.reconnect_max = milliseconds(4);
    options.on_state = [this](const ConnectionEvent& event) { events.add(event); };
    auto client = blocking::Client::connect(options);
    EXPECT_TRUE(client) << client.error().message();
    return std::move(*client);
  }
  static std::size_t payloads_of(const Seen& seen) {
    std::size_t count = 0;
    for (const auto& publish : seen.publishes) count += publish.payloads.size();
    return count;
  }

  FakeBroker broker;
  EventLog events;
};

TEST_F(ClientTest, ConnectsAndKnowsItsBroker) {
  const blocking::Client client = connect();
  EXPECT_EQ(client.server().node, "fake");
  EXPECT_EQ(client.server().version, "1.2.3");
  EXPECT_EQ(client.server().address, broker.address());
  EXPECT_EQ(client.state(), ConnectionState::kConnected);
}

TEST_F(ClientTest, AFirstConnectionThatFailsIsAnError) {
  broker.stop_listening();
  ClientOptions options;
  options.server = broker.address();
  const auto client = blocking::Client::connect(options);
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, ErrorCode::kConnectFailed);
  EXPECT_NE(client.error().detail.find("refused"), std::string::npos);
}

TEST_F(ClientTest, BadOptionsAreRefusedBeforeAnythingIsStarted) {
  ClientOptions options;
  options.server = "nowhere:port";
  EXPECT_EQ(blocking::Client::connect(options).error().code, ErrorCode::kBadArgument);
  options.server = broker.address();
  options.max_frame_bytes = 10;
  EXPECT_EQ(blocking::Client::connect(options).error().code, ErrorCode::kBadArgument);
}

TEST_F(ClientTest, APublisherOpensItsTopicOnceAndCountsItsReceipts) {
  blocking::Client client = connect();
  auto publisher = client.publisher("orders.eu");
  ASSERT_TRUE(publisher);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(publisher->publish(as_bytes("m" + std::to_string(i))));
  }
  ASSERT_TRUE(publisher->flush());
  const Seen seen = broker.seen();
  EXPECT_EQ(seen.opened, (std::vector<std::string>{"orders.eu"}));
  std::vector<std::string> payloads;
  for (const auto& publish : seen.publishes) {
    EXPECT_EQ(publish.topic, "orders.eu");
    payloads.insert(payloads.end(), publish.payloads.begin(), publish.payloads.end());
  }
  ASSERT_EQ(payloads.size(), 100U);
  EXPECT_EQ(payloads[0], "m0");
  EXPECT_EQ(payloads[99], "m99");
  const PublishTotals totals = publisher->totals();
  EXPECT_EQ(totals.messages, 100U);
  EXPECT_EQ(totals.answered, 100U);
  EXPECT_EQ(totals.ok, 100U);
  EXPECT_EQ(totals.accepted, 200U);
  EXPECT_EQ(client.totals().accepted, 200U);
}

TEST_F(ClientTest, MessagesGatherInBatchesWhileTheGrantIsUsedUp) {
  broker.set_behaviour({.give_grant_back = false, .window = 65536});
  blocking::Client client = connect();
  auto publisher = client.publisher("t");
  ASSERT_TRUE(publisher);
  const std::string payload(1000, 'x');
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(publisher->publish(as_bytes(payload)));
  // No more than the window goes out, in however many batches.
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return payloads_of(seen) > 0; }));
  ASSERT_TRUE(client.ping());
  EXPECT_LE(payloads_of(broker.seen()), 65U);
  broker.with_peer([](FakeBroker::Peer& peer) {
    wire::Grant grant;
    grant.topic = 1;
    grant.bytes = 1U << 20;
    peer.send(grant);
  });
  ASSERT_TRUE(publisher->flush());
  const Seen seen = broker.seen();
  EXPECT_EQ(payloads_of(seen), 200U);
  EXPECT_LT(seen.publishes.size(), 100U);
}

TEST_F(ClientTest, OneTopicWithoutGrantHoldsUpNoOther) {
  broker.set_behaviour({.receipts = true, .give_grant_back = false, .window = 65536});
  blocking::Client client = connect();
  auto stuck = client.publisher("stuck");
  auto free = client.publisher("free");
  const std::string big(60000, 'x');
  ASSERT_TRUE(stuck->publish(as_bytes(big)));
  ASSERT_TRUE(stuck->publish(as_bytes(big)));  // does not fit what is left
  ASSERT_TRUE(free->publish(as_bytes("through")));
  EXPECT_TRUE(free->flush());
  EXPECT_FALSE(stuck->flush(milliseconds(1)));
}

TEST_F(ClientTest, PendingBytesAreBoundedAndPublishWaitsForRoom) {
  broker.set_behaviour({.give_grant_back = false, .window = 65536});
  ClientOptions options;
  options.max_pending_bytes = 100000;
  blocking::Client client = connect(options);
  auto publisher = client.publisher("t");
  const std::string payload(10000, 'x');
  ASSERT_TRUE(publisher->publish(as_bytes(payload)));
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return payloads_of(seen) == 1; }));
  // Fill it until nothing more moves: the ping comes back behind everything that was sent.
  Status status;
  std::uint64_t before = 0;
  do {
    before = publisher->totals().messages;
    do status = publisher->async().try_publish(as_bytes(payload));
    while (status);
    ASSERT_TRUE(client.ping());
  } while (before != publisher->totals().messages);
  EXPECT_EQ(status.error().code, ErrorCode::kWouldBlock);
  EXPECT_LT(publisher->totals().messages, 20U);
  const Status waited = publisher->publish(as_bytes(payload), milliseconds(2));
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, ErrorCode::kDeadlineExceeded);
  std::thread helper([&] {
    broker.with_peer([](FakeBroker::Peer& peer) {
      wire::Grant grant;
      grant.topic = 1;
      grant.bytes = 1U << 20;
      peer.send(grant);
    });
  });
  EXPECT_TRUE(publisher->publish(as_bytes(payload)));
  helper.join();
  EXPECT_TRUE(publisher->flush());
}

TEST_F(ClientTest, AReceiptThatIsNotGoodIsAValue) {
  broker.set_behaviour({.receipts = false});
  blocking::Client client = connect();
  std::thread answer([&] {
    ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.publishes.size() == 1; }));
    broker.with_peer([](FakeBroker::Peer& peer) {
      wire::Receipt receipt;
      receipt.first_publish = 1;
      receipt.status = wire::ReceiptStatus::kRejected;
      receipt.reason = static_cast<std::uint16_t>(ErrorCode::kQueueFull);
      receipt.retry_after_ms = 250;
      receipt.pressure = 255;
      receipt.messages = 1;
      receipt.matched = 1;
      receipt.rejected = 1;
      receipt.subscriptions.push_back({1, 200, "audit"});
      peer.send(receipt, 1);
    });
  });
  const auto receipt = client.publish_and_wait("t", {.payload = as_bytes("x")});
  answer.join();
  ASSERT_TRUE(receipt) << receipt.error().message();
  EXPECT_FALSE(receipt->ok());
  EXPECT_EQ(receipt->status, ReceiptStatus::kRejected);
  EXPECT_EQ(receipt->reason, ErrorCode::kQueueFull);
  EXPECT_EQ(receipt->retry_after, milliseconds(250));
  EXPECT_EQ(receipt->pressure, 1.0);
  ASSERT_EQ(receipt->refused_by.size(), 1U);
  EXPECT_EQ(receipt->refused_by[0].subscription, "audit");
  EXPECT_EQ(receipt->refused_by[0].reason, "queue-full");
  EXPECT_EQ(client.totals().by_status[static_cast<int>(ReceiptStatus::kRejected)], 1U);
}

TEST_F(ClientTest, AReceiptMayCoverManyPublishesOfSeveralPublishers) {
  broker.set_behaviour({.receipts = false});
  blocking::Client client = connect();
  auto first = client.publisher("a");
  auto second = client.publisher("b");
  for (int i = 1; i <= 6; ++i) {
    ASSERT_TRUE((i % 3 == 0 ? second : first)->publish(as_bytes("x")));
    ASSERT_TRUE(broker.wait_for(
        [&](const Seen& seen) { return seen.publishes.size() == static_cast<std::size_t>(i); }));
  }
  broker.with_peer([](FakeBroker::Peer& peer) {
    wire::Receipt receipt;
    receipt.first_publish = 1;
    receipt.messages = 6;
    receipt.matched = receipt.accepted = 12;
    peer.send(receipt, 6);
  });
  ASSERT_TRUE(client.flush());
  EXPECT_EQ(first->totals().answered, 4U);
  EXPECT_EQ(second->totals().answered, 2U);
  EXPECT_EQ(client.totals().accepted, 12U);
}

TEST_F(ClientTest, PublishersWithoutReceiptsSettleWhenSent) {
  broker.set_behaviour({.receipts = false});
  blocking::Client client = connect();
  auto none = client.publisher("t", {.receipts = Receipts::kNone});
  ASSERT_TRUE(none->publish(as_bytes("x")));
  EXPECT_TRUE(none->flush());
  EXPECT_EQ(none->publish_and_wait({.payload = as_bytes("x")}).error().code,
            ErrorCode::kBadArgument);
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.publishes.size() == 1; }));
  EXPECT_EQ(broker.seen().publishes[0].flags, wire::kPublishReceiptNone);
}

TEST_F(ClientTest, ProblemsOfPublishersThatAskOnlyForThoseAreCounted) {
  broker.set_behaviour({.receipts = false});
  blocking::Client client = connect();
  auto publisher = client.publisher("t", {.receipts = Receipts::kProblems});
  ASSERT_TRUE(publisher->publish(as_bytes("x")));
  EXPECT_TRUE(publisher->flush());
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.publishes.size() == 1; }));
  broker.with_peer([](FakeBroker::Peer& peer) {
    wire::Receipt receipt;
    receipt.first_publish = 1;
    receipt.status = wire::ReceiptStatus::kPartial;
    receipt.messages = 1;
    receipt.matched = 2;
    receipt.accepted = receipt.dropped = 1;
    peer.send(receipt, 1);
  });
  ASSERT_TRUE(client.ping());
  EXPECT_EQ(publisher->totals().dropped, 1U);
  EXPECT_EQ(publisher->totals().by_status[static_cast<int>(ReceiptStatus::kPartial)], 1U);
}

TEST_F(ClientTest, TheTimeoutOfACallIsTheDeadlineOnTheWire) {
  blocking::Client client = connect();
  const auto before = base::SystemClock().wall_now();
  ASSERT_TRUE(client.publish_and_wait("t", {.payload = as_bytes("x")}, {}, seconds(5)));
  const std::uint64_t deadline = broker.seen().publishes.at(0).deadline_ns;
  EXPECT_GE(deadline, base::to_wire(before + seconds(5)));
  EXPECT_LE(deadline, base::to_wire(base::SystemClock().wall_now() + seconds(5)));
}

TEST_F(ClientTest, NamesAndSizesAreCheckedBeforeAnythingIsSent) {
  blocking::Client client = connect();
  EXPECT_EQ(client.publisher("a..b").error().code, ErrorCode::kBadTopic);
  EXPECT_EQ(client.publisher("$sys.x").error().code, ErrorCode::kReservedTopic);
  const std::string huge(2U << 20, 'x');
  EXPECT_EQ(client.publish("t", as_bytes(huge)).error().code, ErrorCode::kMessageTooLarge);
  EXPECT_EQ(client.subscribe({.filters = {"a.>.b"}}).error().code, ErrorCode::kBadFilter);
  EXPECT_EQ(client.subscribe({}).error().code, ErrorCode::kBadArgument);
}

TEST_F(ClientTest, AMessageLargerThanTheWholeWindowFailsAndTheNextGoesThrough) {
  broker.set_behaviour({.window = 65536});
  blocking::Client client = connect();
  auto publisher = client.publisher("t");
  const std::string large(100000, 'x');
  EXPECT_EQ(publisher->publish(as_bytes(large)).error().code, ErrorCode::kMessageTooLarge);
  EXPECT_EQ(publisher->publish_and_wait({.payload = as_bytes(large)}).error().code,
            ErrorCode::kMessageTooLarge);
  EXPECT_TRUE(publisher->publish_and_wait({.payload = as_bytes("small")}));
}

TEST_F(ClientTest, ATopicThatTheBrokerRefusesFailsItsPublishes) {
  broker.set_behaviour({.refuse_open = static_cast<std::uint16_t>(ErrorCode::kTopicLimit)});
  blocking::Client client = connect();
  auto publisher = client.publisher("t");
  EXPECT_EQ(publisher->publish_and_wait({.payload = as_bytes("x")}).error().code,
            ErrorCode::kTopicLimit);
  EXPECT_TRUE(publisher->flush());
}

TEST_F(ClientTest, AdminAndPingAreAnswered) {
  blocking::Client client = connect();
  EXPECT_EQ(client.admin("status").value(), "{\"verb\":\"status\"}");
  EXPECT_EQ(client.admin("bad").error().code, ErrorCode::kBadArgument);
  EXPECT_GE(client.ping().value(), Duration(0));
}

TEST_F(ClientTest, AfterALossItReconnectsReopensAndSaysWhatIsUnknown) {
  broker.set_behaviour({.receipts = false});
  blocking::Client client = connect();
  auto publisher = client.publisher("t");
  ASSERT_TRUE(publisher->publish(as_bytes("lost")));
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.publishes.size() == 1; }));
  broker.set_behaviour({});
  broker.drop_connections();
  const auto lost = events.wait_for(ConnectionState::kDisconnected);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->unknown, 1U);
  EXPECT_GT(lost->retry_in, Duration(0));
  const Status flushed = publisher->flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, ErrorCode::kConnectionLost);
  EXPECT_EQ(publisher->totals().unknown, 1U);
  ASSERT_TRUE(publisher->publish(as_bytes("after")));
  EXPECT_TRUE(publisher->flush());
  const Seen seen = broker.seen();
  EXPECT_EQ(seen.opened.size(), 2U);
  EXPECT_EQ(seen.publishes.back().payloads, (std::vector<std::string>{"after"}));
  EXPECT_EQ(seen.publishes.back().number, 1U);  // numbers start anew
}

TEST_F(ClientTest, WhatIsPublishedWhileAwayGoesOutWhenItIsBack) {
  blocking::Client client = connect();
  auto publisher = client.publisher("t");
  broker.stop_listening();
  broker.drop_connections();
  ASSERT_TRUE(events.wait_for(ConnectionState::kDisconnected));
  ASSERT_TRUE(publisher->publish(as_bytes("kept")));
  broker.listen_again();
  EXPECT_TRUE(publisher->flush());
  EXPECT_EQ(broker.seen().publishes.back().payloads, (std::vector<std::string>{"kept"}));
}

TEST_F(ClientTest, WithoutReconnectingTheLossIsTheEnd) {
  ClientOptions options;
  options.reconnect = false;
  blocking::Client client = connect(options);
  auto subscription = client.subscribe({.filters = {"t"}});
  ASSERT_TRUE(subscription);
  broker.drop_connections();
  ASSERT_TRUE(events.wait_for(ConnectionState::kClosed));
  EXPECT_EQ(subscription->next().error().code, ErrorCode::kConnectionLost);
  EXPECT_EQ(client.publish("t", as_bytes("x")).error().code, ErrorCode::kConnectionLost);
}

TEST_F(ClientTest, ASilentBrokerIsPingedAndThenGivenUp) {
  broker.set_behaviour({.pongs = false});
  ClientOptions options;
  options.keep_alive = milliseconds(10);
  const blocking::Client client = connect(options);
  const auto lost = events.wait_for(ConnectionState::kDisconnected);
  ASSERT_TRUE(lost);
  EXPECT_NE(lost->error.detail.find("silent"), std::string::npos);
  EXPECT_GE(broker.seen().pings, 1);
}

TEST_F(ClientTest, AnIdleBrokerThatAnswersPingsIsKept) {
  ClientOptions options;
  options.keep_alive = milliseconds(50);
  const blocking::Client client = connect(options);
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.pings >= 4; }));
  EXPECT_EQ(broker.seen().connections, 1);
}

TEST_F(ClientTest, AMalformedFrameEndsTheConnection) {
  const blocking::Client client = connect();
  broker.with_peer(
      [](FakeBroker::Peer& peer) { peer.write(std::vector<std::byte>(64, std::byte{0xEE})); });
  const auto lost = events.wait_for(ConnectionState::kDisconnected);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->error.info().error_class, ErrorClass::close);
}

TEST_F(ClientTest, AClosingErrorIsTheReasonOfTheLoss) {
  const blocking::Client client = connect();
  broker.with_peer([](FakeBroker::Peer& peer) {
    wire::ErrorFrame error;
    error.code = static_cast<std::uint16_t>(ErrorCode::kSlowConsumer);
    error.closes = true;
    error.text = "audit: 10000 of 10000 messages";
    peer.send(error);
  });
  const auto lost = events.wait_for(ConnectionState::kDisconnected);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->error.code, ErrorCode::kSlowConsumer);
  EXPECT_EQ(lost->error.detail, "audit: 10000 of 10000 messages");
}

TEST_F(ClientTest, AfterGoawayNothingNewIsPublishedOnThatConnection) {
  blocking::Client client = connect();
  broker.with_peer([](FakeBroker::Peer& peer) {
    wire::Goaway goaway;
    goaway.reason = static_cast<std::uint16_t>(ErrorCode::kDraining);
    goaway.text = "maintenance";
    peer.send(goaway);
  });
  const auto draining = events.wait_for(ConnectionState::kDraining);
  ASSERT_TRUE(draining);
  EXPECT_EQ(draining->error.detail, "maintenance");
  ASSERT_TRUE(client.publish("t", as_bytes("later")));
  ASSERT_TRUE(client.ping());
  EXPECT_TRUE(broker.seen().publishes.empty());
  broker.drop_connections();
  EXPECT_TRUE(client.flush());
  EXPECT_EQ(broker.seen().connections, 2);
}

TEST_F(ClientTest, DrainFlushesUnsubscribesAndRefusesWhatComesAfter) {
  blocking::Client client = connect();
  auto publisher = client.publisher("t");
  auto subscription = client.subscribe({.filters = {"t"}});
  ASSERT_TRUE(subscription);
  broker.with_peer([](FakeBroker::Peer& peer) { peer.deliver(2, 1, {"waiting"}); });
  ASSERT_TRUE(client.ping());
  ASSERT_TRUE(publisher->publish(as_bytes("x")));
  std::thread closer([&] {
    ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return !seen.unsubscribes.empty(); }));
    broker.drop_connections();  // as a broker does when the client closes its side
  });
  const Status drained = client.drain();
  closer.join();
  EXPECT_TRUE(drained) << drained.error().message();
  EXPECT_EQ(broker.seen().publishes.size(), 1U);
  EXPECT_FALSE(client.publish("t", as_bytes("late")));
  const auto waiting = subscription->next();
  ASSERT_TRUE(waiting) << waiting.error().message();
  EXPECT_EQ(std::get<Message>(*waiting).text(), "waiting");
  EXPECT_EQ(subscription->next().error().code, ErrorCode::kClosed);
  EXPECT_EQ(client.state(), ConnectionState::kClosed);
}

TEST_F(ClientTest, APingThatComesWhileItDrainsIsNotAnswered) {
  blocking::Client client = connect();
  auto subscription = client.subscribe({.filters = {"t"}});
  ASSERT_TRUE(subscription);
  std::thread closer([&] {
    ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return !seen.unsubscribes.empty(); }));
    broker.with_peer([](FakeBroker::Peer& peer) { peer.send(wire::Ping{1}); });
    EXPECT_FALSE(client.ping());  // this one waits its turn behind the answer to UNSUBSCRIBE
    broker.drop_connections();
  });
  EXPECT_TRUE(client.drain());
  closer.join();
}

TEST_F(ClientTest, HandlesOutliveTheClientAndFail) {
  std::optional<blocking::Publisher> publisher;
  std::optional<blocking::Subscription> subscription;
  std::optional<Message> message;
  {
    blocking::Client client = connect();
    publisher = *client.publisher("t");
    subscription = *client.subscribe({.filters = {"t"}});
    broker.with_peer([](FakeBroker::Peer& peer) { peer.deliver(2, 1, {"kept"}); });
    message = std::get<Message>(*subscription->next());
  }
  EXPECT_EQ(publisher->publish(as_bytes("x")).error().code, ErrorCode::kClosed);
  EXPECT_TRUE(publisher->flush());  // nothing is open
  EXPECT_EQ(subscription->next().error().code, ErrorCode::kClosed);
  EXPECT_EQ(message->text(), "kept");
}

}  // namespace
}  // namespace sluice
