// What an idempotent producer numbers, and what it sends again after it has lost its connection.

#include <gtest/gtest.h>
#include <sluice/blocking.h>
#include <string>
#include <thread>
#include <vector>

#include "libs/async/run_here.h"
#include "tests/unit/client/fake_broker.h"

namespace sluice {
namespace {

using async::Context;
using async::run_here;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing_support::Behaviour;
using testing_support::FakeBroker;
using testing_support::Seen;
using testing_support::SeenPublish;

constexpr std::uint64_t kId = 7;
constexpr std::uint16_t kTakenOver = static_cast<std::uint16_t>(ErrorCode::kTakenOver);

// A publish in one line: "2: orders #5 a b" came with the second connection.
std::string line(const SeenPublish& publish) {
  std::string text = std::to_string(publish.connection) + ": " + publish.topic + " #" +
                     std::to_string(publish.producer_sequence);
  for (const std::string& payload : publish.payloads) text += " " + payload.substr(0, 8);
  return text;
}

class ProducerTest : public testing::Test {
 protected:
  static ClientOptions numbered() {
    ClientOptions options;
    options.producer_id = kId;
    return options;
  }
  void connect(ClientOptions options = numbered()) {
    options.server = broker.address();
    options.reconnect_min = milliseconds(1);
    options.reconnect_max = milliseconds(4);
    options.on_state = [this](const ConnectionEvent& event) {
      const std::lock_guard lock(mutex);
      events.push_back(event);
      changed.notify_all();
    };
    auto connected = blocking::Client::connect(options);
    ASSERT_TRUE(connected) << connected.error().message();
    client.emplace(std::move(*connected));
  }
  /// The latest event of that kind, once there is one.
  ConnectionEvent await(ConnectionState state) {
    std::unique_lock lock(mutex);
    const auto known = [&] {
      return std::any_of(events.begin(), events.end(),
                         [&](const auto& event) { return event.state == state; });
    };
    EXPECT_TRUE(changed.wait_for(lock, seconds(10), known));
    ConnectionEvent found;
    for (const ConnectionEvent& event : events) {
      if (event.state == state) found = event;
    }
    return found;
  }
  static blocking::Publication begin(blocking::Publisher& publisher, std::string_view text,
                                     std::optional<WallTime> deadline = {}) {
    Outgoing message;
    message.payload = as_bytes(text);
    message.deadline = deadline;
    auto begun = publisher.begin(message);
    EXPECT_TRUE(begun) << begun.error().message();
    return std::move(*begun);
  }
  bool await_publishes(std::size_t count) {
    return broker.wait_for([=](const Seen& seen) { return seen.publishes.size() >= count; });
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    for (const SeenPublish& publish : broker.seen().publishes) all.push_back(line(publish));
    return all;
  }
  void answer(std::uint64_t first, std::uint64_t last, wire::ReceiptStatus status) {
    broker.with_peer([=](FakeBroker::Peer& peer) {
      wire::Receipt receipt;
      receipt.first_publish = first;
      receipt.status = status;
      receipt.messages = last - first + 1;
      peer.send(receipt, last);
    });
  }
  /// Nobody is there to connect to.
  void disconnect() {
    broker.stop_listening();
    broker.drop_connections();
    await(ConnectionState::kDisconnected);
  }
  static std::uint64_t count(const PublishTotals& totals, ReceiptStatus status) {
    return totals.by_status[static_cast<std::size_t>(status)];
  }

  FakeBroker broker;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<ConnectionEvent> events;
  std::optional<blocking::Client> client;
};

using Lines = std::vector<std::string>;

TEST_F(ProducerTest, NumbersAreGivenInTheOrderOfSending) {
  connect();
  auto a = client->publisher("a");
  const auto first = a->publish_and_wait({.payload = as_bytes("x")});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->producer_sequence, 1U);
  EXPECT_EQ(client->publish_and_wait("b", {.payload = as_bytes("y")})->producer_sequence, 2U);
  EXPECT_EQ(a->publish_and_wait({.payload = as_bytes("z")})->producer_sequence, 3U);
  EXPECT_EQ(lines(), (Lines{"1: a #1 x", "1: b #2 y", "1: a #3 z"}));
  const Seen seen = broker.seen();
  EXPECT_EQ(seen.hellos.at(0).producer_id, kId);
  EXPECT_EQ(seen.hellos.at(0).producer_epoch, 0U);
  EXPECT_EQ(seen.publishes.at(1).producer_id, kId);
}

TEST_F(ProducerTest, OthersAreNotNumbered) {
  connect({});
  const auto receipt = client->publish_and_wait("a", {.payload = as_bytes("x")});
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->producer_sequence, 0U);
  EXPECT_EQ(broker.seen().publishes.at(0).producer_id, 0U);
  EXPECT_EQ(broker.seen().hellos.at(0).producer_id, 0U);
}

TEST_F(ProducerTest, AClientThatIsStartedAgainGoesOnWhereTheBrokerStands) {
  broker.set_behaviour({.producer_next = 18});
  connect();
  EXPECT_EQ(client->server().producer_next, 18U);
  EXPECT_EQ(client->publish_and_wait("a", {.payload = as_bytes("x")})->producer_sequence, 18U);
}

TEST_F(ProducerTest, AProgramMayKnowBetterWhereItStands) {
  broker.set_behaviour({.producer_next = 18});
  ClientOptions options = numbered();
  options.first_sequence = 5;
  connect(options);
  EXPECT_EQ(client->publish_and_wait("a", {.payload = as_bytes("x")})->producer_sequence, 5U);
}

TEST_F(ProducerTest, WhatHasNoReceiptIsSentAgainAsItWas) {
  broker.set_behaviour({.receipts = false});
  connect();
  auto a = client->publisher("a");
  auto b = client->publisher("b");
  auto first = begin(*a, "1");
  auto second = begin(*b, "2");
  auto third = begin(*a, "3");
  auto fourth = begin(*b, "4");
  ASSERT_TRUE(await_publishes(4));
  std::vector<std::string> sent = lines();
  answer(1, 1, wire::ReceiptStatus::kAccepted);
  ASSERT_TRUE(first.receipt());
  const std::string answered = lines().at(0);
  broker.drop_connections();
  ASSERT_TRUE(await_publishes(7));
  EXPECT_EQ(await(ConnectionState::kDisconnected).unknown, 0U);
  EXPECT_EQ(await(ConnectionState::kDisconnected).to_resend, 3U);
  // In the order of their numbers, across topics; what had its receipt is not among them.
  for (std::string& text : sent) text[0] = '2';
  sent.erase(sent.begin());
  const Lines all = lines();
  EXPECT_EQ(Lines(all.begin() + 4, all.end()), sent);
  EXPECT_EQ(broker.seen().hellos.at(1).producer_epoch, 1U);

  answer(1, 1, wire::ReceiptStatus::kDuplicate);
  answer(2, 3, wire::ReceiptStatus::kAccepted);
  const std::uint64_t lost = broker.seen().publishes.at(4).producer_sequence;
  for (blocking::Publication* one : {&second, &third, &fourth}) {
    const auto receipt = one->receipt();
    ASSERT_TRUE(receipt) << receipt.error().message();
    EXPECT_TRUE(receipt->ok());
    EXPECT_EQ(receipt->status == ReceiptStatus::kDuplicate, receipt->producer_sequence == lost);
  }
  EXPECT_TRUE(client->flush());
  EXPECT_EQ(client->totals().unknown, 0U);
  EXPECT_EQ(client->totals().ok, 4U);
  EXPECT_EQ(count(client->totals(), ReceiptStatus::kDuplicate), 1U);
}

TEST_F(ProducerTest, WhatIsSentAgainKeepsItsOrderAcrossTopics) {
  broker.set_behaviour({.receipts = false});
  connect();
  auto a = client->publisher("a");
  auto b = client->publisher("b");
  begin(*a, "1");
  ASSERT_TRUE(await_publishes(1));
  begin(*b, "2");
  ASSERT_TRUE(await_publishes(2));
  broker.set_behaviour({.receipts = false, .hold_open = "a"});
  broker.drop_connections();
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.opened.size() == 4; }));
  auto c = client->publisher("c");  // has nothing to send again, and does not wait
  begin(*c, "3");
  ASSERT_TRUE(await_publishes(3));
  EXPECT_EQ(lines().back(), "2: c #3 3");
  broker.with_peer([](FakeBroker::Peer& peer) { peer.open_held(); });
  ASSERT_TRUE(await_publishes(5));
  const Lines all = lines();
  EXPECT_EQ(Lines(all.begin() + 3, all.end()), (Lines{"2: a #1 1", "2: b #2 2"}));
}

TEST_F(ProducerTest, WhatIsSentAgainGoesBeforeWhatIsNew) {
  broker.set_behaviour({.receipts = false});
  connect();
  auto publisher = client->publisher("a");
  begin(*publisher, "old");
  ASSERT_TRUE(await_publishes(1));
  disconnect();
  begin(*publisher, "new");
  broker.listen_again();
  ASSERT_TRUE(await_publishes(3));
  broker.drop_connections();  // and again: nothing is forgotten
  ASSERT_TRUE(await_publishes(5));
  EXPECT_EQ(lines(),
            (Lines{"1: a #1 old", "2: a #1 old", "2: a #2 new", "3: a #1 old", "3: a #2 new"}));
}

TEST_F(ProducerTest, NamedPublishesAreSentAgainToo) {
  broker.set_behaviour({.receipts = false});
  connect();
  ASSERT_TRUE(client->publish("a", as_bytes("x")));
  ASSERT_TRUE(await_publishes(1));
  broker.drop_connections();
  ASSERT_TRUE(await_publishes(2));
  EXPECT_EQ(lines(), (Lines{"1: a #1 x", "2: a #1 x"}));
}

TEST_F(ProducerTest, ASmallerWindowHoldsUpOnlyItsOwnTopic) {
  broker.set_behaviour({.receipts = false, .give_grant_back = false, .window = 1U << 18});
  connect();
  auto a = client->publisher("a");
  auto b = client->publisher("b");
  const std::string big(60000, 'x');
  begin(*a, big);
  begin(*a, big);
  begin(*b, "b");
  ASSERT_TRUE(await_publishes(3));
  broker.set_behaviour({.receipts = false, .give_grant_back = false, .window = 65536});
  broker.drop_connections();
  ASSERT_TRUE(await_publishes(5));
  begin(*b, "more");
  ASSERT_TRUE(await_publishes(6));
  ASSERT_TRUE(client->ping());
  EXPECT_EQ(broker.seen().publishes.size(), 6U);
  broker.with_peer([](FakeBroker::Peer& peer) {
    for (const std::uint32_t topic : {1U, 2U}) {
      wire::Grant grant;
      grant.topic = topic;
      grant.bytes = 65536;
      peer.send(grant);
    }
  });
  ASSERT_TRUE(await_publishes(7));
  const Lines all = lines();
  EXPECT_EQ(all.back().substr(0, 4), "2: a");
}

TEST_F(ProducerTest, AProducerThatIsTakenOverEnds) {
  broker.set_behaviour({.receipts = false});
  connect();
  auto publisher = client->publisher("a");
  blocking::Publication open = begin(*publisher, "x");
  ASSERT_TRUE(await_publishes(1));
  broker.with_peer([](FakeBroker::Peer& peer) {
    wire::ErrorFrame error;
    error.code = kTakenOver;
    error.closes = true;
    peer.send(error);
  });
  EXPECT_EQ(await(ConnectionState::kClosed).error.code, ErrorCode::kTakenOver);
  const auto receipt = open.receipt();
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().code, ErrorCode::kTakenOver);
  EXPECT_NE(receipt.error().detail.find("unknown"), std::string::npos);
  EXPECT_EQ(publisher->publish(as_bytes("y")).error().code, ErrorCode::kTakenOver);
  EXPECT_EQ(client->totals().unknown, 1U);
  EXPECT_EQ(broker.seen().connections, 1);  // it does not come back to take over in turn
}

TEST_F(ProducerTest, AProducerThatComesBackTooLateEnds) {
  broker.set_behaviour({.receipts = false});
  connect();
  auto publisher = client->publisher("a");
  blocking::Publication open = begin(*publisher, "x");
  ASSERT_TRUE(await_publishes(1));
  broker.set_behaviour({.refuse_hello = kTakenOver});
  broker.drop_connections();
  EXPECT_EQ(await(ConnectionState::kClosed).error.code, ErrorCode::kTakenOver);
  EXPECT_EQ(open.receipt().error().code, ErrorCode::kTakenOver);
  EXPECT_EQ(broker.seen().publishes.size(), 1U);
}

TEST_F(ProducerTest, WhatTheBrokerCannotTellAnyMoreHasAnUnknownOutcome) {
  broker.set_behaviour({.receipts = false});
  connect();
  auto publisher = client->publisher("a");
  blocking::Publication open = begin(*publisher, "x");
  ASSERT_TRUE(await_publishes(1));
  broker.drop_connections();
  ASSERT_TRUE(await_publishes(2));
  broker.with_peer([](FakeBroker::Peer& peer) {
    wire::ErrorFrame error;
    error.code = static_cast<std::uint16_t>(ErrorCode::kBadArgument);
    error.text = "too far back";
    peer.send(error, 1);
    wire::Receipt receipt;
    receipt.first_publish = 1;
    receipt.status = wire::ReceiptStatus::kRejected;
    receipt.reason = error.code;
    receipt.messages = 1;
    peer.send(receipt, 1);
  });
  const auto receipt = open.receipt();
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().code, ErrorCode::kConnectionLost);
  EXPECT_NE(receipt.error().detail.find("too far back"), std::string::npos);
  EXPECT_FALSE(publisher->flush());
  EXPECT_EQ(client->totals().unknown, 1U);
  EXPECT_EQ(client->totals().answered, 0U);
}

TEST_F(ProducerTest, WhetherADeadlineHadPassedTheBrokerSays) {
  broker.set_behaviour({.receipts = false});
  connect();
  auto publisher = client->publisher("a");
  const WallTime soon = base::SystemClock().wall_now() + milliseconds(200);
  blocking::Publication open = begin(*publisher, "x", soon);
  ASSERT_TRUE(await_publishes(1));
  disconnect();
  while (base::SystemClock().wall_now() <= soon) std::this_thread::yield();
  broker.listen_again();
  ASSERT_TRUE(await_publishes(2));  // it may have been taken before
  EXPECT_EQ(broker.seen().publishes.at(1).deadline_ns, base::to_wire(soon));
  answer(1, 1, wire::ReceiptStatus::kDuplicate);
  EXPECT_EQ(open.receipt()->status, ReceiptStatus::kDuplicate);
}

TEST_F(ProducerTest, WhatIsWithdrawnWhileDisconnectedIsNotSentAgain) {
  broker.set_behaviour({.receipts = false});
  connect();
  auto publisher = client->publisher("a");
  begin(*publisher, "before");
  blocking::Publication open = begin(*publisher, "x");
  begin(*publisher, "after");
  ASSERT_TRUE(await_publishes(3));
  disconnect();
  const auto withdrawal = open.cancel();
  ASSERT_FALSE(withdrawal);  // the broker may have it, and nobody knows
  EXPECT_EQ(withdrawal.error().code, ErrorCode::kConnectionLost);
  EXPECT_EQ(open.receipt().error().code, ErrorCode::kConnectionLost);
  broker.listen_again();
  ASSERT_TRUE(await_publishes(5));
  const Lines all = lines();
  EXPECT_EQ(Lines(all.begin() + 3, all.end()), (Lines{"2: a #1 before", "2: a #3 after"}));
}

TEST_F(ProducerTest, WhatWasBeingWithdrawnIsNotSentAgain) {
  broker.set_behaviour({.receipts = false, .answer_cancel = false});
  connect();
  auto publisher = client->publisher("a");
  blocking::Publication open = begin(*publisher, "x");
  ASSERT_TRUE(await_publishes(1));
  std::thread cancelling(
      [&] { EXPECT_EQ(open.cancel().error().code, ErrorCode::kConnectionLost); });
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.cancels.size() == 1; }));
  broker.drop_connections();
  cancelling.join();
  begin(*publisher, "y");
  ASSERT_TRUE(await_publishes(2));
  EXPECT_EQ(lines().back(), "2: a #2 y");
  EXPECT_EQ(open.receipt().error().code, ErrorCode::kConnectionLost);
}

TEST_F(ProducerTest, WhatWasSentAgainCanBeWithdrawn) {
  broker.set_behaviour({.receipts = false, .withdrawn = 2});
  connect();
  auto publisher = client->publisher("a");
  blocking::Publication open = begin(*publisher, "x");
  ASSERT_TRUE(await_publishes(1));
  broker.drop_connections();
  ASSERT_TRUE(await_publishes(2));
  const auto withdrawal = open.cancel();
  ASSERT_TRUE(withdrawal) << withdrawal.error().message();
  EXPECT_TRUE(withdrawal->was_sent);
  EXPECT_EQ(withdrawal->copies, 2U);
}

TEST_F(ProducerTest, WhatIsKeptForSendingAgainCountsAsPending) {
  broker.set_behaviour({.receipts = false});
  ClientOptions options = numbered();
  options.max_pending_bytes = 100000;
  connect(options);
  auto publisher = client->publisher("a");
  const std::string big(60000, 'x');
  ASSERT_TRUE(publisher->publish(as_bytes(big)));
  ASSERT_TRUE(await_publishes(1));
  EXPECT_EQ(publisher->async().try_publish(as_bytes(big)).error().code, ErrorCode::kWouldBlock);
  answer(1, 1, wire::ReceiptStatus::kAccepted);
  EXPECT_TRUE(publisher->publish(as_bytes(big)));
}

TEST_F(ProducerTest, ABatchThatIsNewOnlyInPartIsCutThere) {
  broker.set_behaviour({.producer_next = 4});
  ClientOptions options = numbered();
  options.first_sequence = 1;
  connect(options);
  disconnect();
  auto publisher = client->publisher("a");
  for (const char* text : {"1", "2", "3", "4", "5", "6"}) {
    ASSERT_TRUE(publisher->publish(as_bytes(text)));
  }
  broker.listen_again();
  ASSERT_TRUE(client->flush());
  EXPECT_EQ(lines(), (Lines{"2: a #1 1 2 3", "2: a #4 4 5 6"}));
  EXPECT_EQ(client->totals().ok, 6U);
}

TEST_F(ProducerTest, ARequestIsNotSentAgain) {  // its answer would come to an inbox that is gone
  broker.set_behaviour({.receipts = false});
  connect();
  std::thread asking([&] {
    const auto answer = client->request("a", {.payload = as_bytes("?")});
    EXPECT_EQ(answer.error().code, ErrorCode::kConnectionLost);
  });
  ASSERT_TRUE(await_publishes(1));
  broker.drop_connections();
  asking.join();
  ASSERT_TRUE(client->publish("b", as_bytes("x")));
  ASSERT_TRUE(await_publishes(2));
  EXPECT_EQ(lines(), (Lines{"1: a #0 ?", "2: b #1 x"}));
  EXPECT_EQ(broker.seen().publishes.at(0).producer_id, 0U);
}

TEST_F(ProducerTest, WithoutReconnectingTheOutcomeIsUnknown) {
  broker.set_behaviour({.receipts = false});
  ClientOptions options = numbered();
  options.reconnect = false;
  connect(options);
  auto publisher = client->publisher("a");
  blocking::Publication open = begin(*publisher, "x");
  ASSERT_TRUE(await_publishes(1));
  broker.drop_connections();
  EXPECT_EQ(open.receipt().error().code, ErrorCode::kConnectionLost);
  EXPECT_FALSE(publisher->flush());
  EXPECT_EQ(client->totals().unknown, 1U);
}

TEST_F(ProducerTest, ATopicThatIsRefusedLaterLeavesTheOutcomeUnknown) {
  broker.set_behaviour({.receipts = false});
  connect();
  auto publisher = client->publisher("a");
  blocking::Publication open = begin(*publisher, "x");
  ASSERT_TRUE(await_publishes(1));
  broker.set_behaviour(
      {.receipts = false, .refuse_open = static_cast<std::uint16_t>(ErrorCode::kTopicLimit)});
  broker.drop_connections();
  const auto receipt = open.receipt();
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().code, ErrorCode::kConnectionLost);
  EXPECT_NE(receipt.error().detail.find("topic-limit"), std::string::npos);
  EXPECT_EQ(client->totals().unknown, 1U);
}

TEST_F(ProducerTest, WhatCannotBeNumberedIsRefused) {
  connect();
  for (const Receipts receipts : {Receipts::kProblems, Receipts::kNone}) {
    PublisherOptions options;
    options.receipts = receipts;
    EXPECT_EQ(client->publisher("a", options).error().code, ErrorCode::kBadArgument);
  }
  ClientOptions options;
  options.server = broker.address();
  options.first_sequence = 1;  // and no producer
  EXPECT_EQ(blocking::Client::connect(options).error().code, ErrorCode::kBadArgument);
  options.producer_id = kId;
  options.first_sequence = UINT64_MAX;
  EXPECT_EQ(blocking::Client::connect(options).error().code, ErrorCode::kBadArgument);
  broker.set_behaviour({.producer_next = UINT64_MAX});
  options.first_sequence = 0;
  EXPECT_EQ(blocking::Client::connect(options).error().code, ErrorCode::kBadArgument);
}

}  // namespace
}  // namespace sluice
