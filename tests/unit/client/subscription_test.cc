#include <gtest/gtest.h>
#include <sluice/blocking.h>
#include <string>
#include <thread>
#include <vector>

#include "libs/async/run_here.h"
#include "tests/unit/client/fake_broker.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing_support::FakeBroker;
using testing_support::Seen;

constexpr std::uint32_t kFirstId = 2;  // 1 is the client's own inbox

class SubscriptionTest : public testing::Test {
 protected:
  void SetUp() override {
    ClientOptions options;
    options.server = broker.address();
    options.reconnect_min = milliseconds(1);
    options.reconnect_max = milliseconds(4);
    auto connected = blocking::Client::connect(options);
    ASSERT_TRUE(connected) << connected.error().message();
    client.emplace(std::move(*connected));
  }
  blocking::Subscription subscribe(SubscribeOptions options = {}) {
    if (options.filters.empty()) options.filters = {"t"};
    auto subscription = client->subscribe(std::move(options));
    EXPECT_TRUE(subscription) << subscription.error().message();
    return std::move(*subscription);
  }
  void deliver(std::uint64_t first_sequence, const std::vector<std::string>& payloads) {
    broker.with_peer(
        [&](FakeBroker::Peer& peer) { peer.deliver(kFirstId, first_sequence, payloads); });
  }

  FakeBroker broker;
  std::optional<blocking::Client> client;
};

TEST_F(SubscriptionTest, OptionsReachTheBrokerAndItsAnswerIsKnown) {
  SubscribeOptions options;
  options.filters = {"a.*", "b.>"};
  options.overflow = "block:50ms,drop_oldest";
  options.credit_messages = 100;
  options.credit_bytes = 1000;
  const blocking::Subscription subscription = subscribe(options);
  const auto seen = broker.seen().subscribes.at(0);
  EXPECT_EQ(seen.filters, options.filters);
  EXPECT_EQ(seen.overflow, "block:50ms,drop_oldest");
  EXPECT_EQ(seen.credit_messages, 100U);
  EXPECT_EQ(seen.credit_bytes, 1000U);
  EXPECT_EQ(subscription.info().queue_messages, 10000U);
  EXPECT_EQ(subscription.info().overflow, "drop_oldest");
}

TEST_F(SubscriptionTest, MessagesComeOneByOneOrAsBatches) {
  blocking::Subscription subscription = subscribe();
  deliver(7, {"a", "b", "c"});
  const auto first = subscription.next();
  ASSERT_TRUE(first);
  const Message& message = std::get<Message>(*first);
  EXPECT_EQ(message.text(), "a");
  EXPECT_EQ(message.topic(), "t");
  EXPECT_EQ(message.sequence(), 7U);
  const auto rest = subscription.next_batch();
  ASSERT_TRUE(rest);
  std::string text;
  for (const MessageView& view : std::get<MessageBatch>(*rest)) {
    text += std::string(view.text()) + std::to_string(view.sequence());
  }
  EXPECT_EQ(text, "b8c9");
  EXPECT_EQ(subscription.async().try_next_batch().error().code, ErrorCode::kWouldBlock);
  EXPECT_EQ(subscription.next(milliseconds(1)).error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(SubscriptionTest, GapsStandInTheirPlace) {
  blocking::Subscription subscription = subscribe();
  broker.with_peer([](FakeBroker::Peer& peer) {
    peer.deliver(kFirstId, 1, {"before"});
    wire::Gap gap;
    gap.subscription = kFirstId;
    gap.reason = wire::GapReason::kDroppedOldest;
    gap.last_sequence = 9;
    gap.count = 8;
    gap.bytes = 800;
    peer.send(gap, 2);
    peer.deliver(kFirstId, 10, {"behind"});
  });
  EXPECT_EQ(std::get<Message>(*subscription.next()).text(), "before");
  const Gap gap = std::get<Gap>(*subscription.next());
  EXPECT_EQ(gap.first_sequence, 2U);
  EXPECT_EQ(gap.last_sequence, 9U);
  EXPECT_EQ(gap.count, 8U);
  EXPECT_EQ(gap.bytes, 800U);
  EXPECT_EQ(gap.reason, "dropped_oldest");
  EXPECT_EQ(std::get<Message>(*subscription.next()).text(), "behind");
}

TEST_F(SubscriptionTest, CreditComesBackInHalves) {
  SubscribeOptions options;
  options.credit_messages = 10;
  blocking::Subscription subscription = subscribe(options);
  for (std::uint64_t i = 1; i <= 4; ++i) deliver(i, {"x"});
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(subscription.next_batch());
  ASSERT_TRUE(client->ping());
  EXPECT_TRUE(broker.seen().credits.empty());
  deliver(5, {"x"});
  ASSERT_TRUE(subscription.next_batch());
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return !seen.credits.empty(); }));
  const wire::Credit credit = broker.seen().credits.at(0);
  EXPECT_EQ(credit.subscription, kFirstId);
  EXPECT_EQ(credit.messages, 5U);
  EXPECT_EQ(credit.bytes, 5U * 3);  // size, attributes and one byte each
}

TEST_F(SubscriptionTest, WhatIsNotTakenHoldsItsCredit) {
  SubscribeOptions options;
  options.credit_messages = 4;
  blocking::Subscription subscription = subscribe(options);
  deliver(1, {"a", "b", "c", "d"});
  ASSERT_TRUE(client->ping());
  EXPECT_EQ(subscription.async().waiting(), 4U);
  EXPECT_TRUE(broker.seen().credits.empty());
}

TEST_F(SubscriptionTest, ALossIsToldInPlaceAndTheSubscriptionGoesOn) {
  SubscribeOptions options;
  options.credit_messages = 10;
  blocking::Subscription subscription = subscribe(options);
  deliver(1, {"a", "b"});
  ASSERT_TRUE(client->ping());
  broker.drop_connections();
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.subscribes.size() == 2; }));
  // Two messages wait here: the new credit is the window less those.
  EXPECT_EQ(broker.seen().subscribes[1].credit_messages, 8U);
  EXPECT_EQ(broker.seen().subscribes[1].id, kFirstId);
  deliver(1, {"c"});
  ASSERT_TRUE(std::holds_alternative<MessageBatch>(*subscription.next_batch()));
  const Gap gap = std::get<Gap>(*subscription.next());
  EXPECT_EQ(gap.reason, "disconnected");
  EXPECT_EQ(gap.first_sequence, 3U);
  EXPECT_EQ(gap.last_sequence, 0U);
  const Reconnected back = std::get<Reconnected>(*subscription.next());
  EXPECT_EQ(back.lost_because.code, ErrorCode::kConnectionLost);
  EXPECT_EQ(std::get<Message>(*subscription.next()).text(), "c");
}

TEST_F(SubscriptionTest, WhereTheBrokerStillKnowsTheGapOfALossIsExact) {
  broker.set_behaviour({.resumed = {.known = true, .matched = 9, .discarded = 4}});
  blocking::Subscription subscription = subscribe();
  deliver(1, {"a", "b"});
  ASSERT_TRUE(client->ping());
  const std::uint64_t session = client->server().session_id;
  broker.drop_connections();
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.subscribes.size() == 2; }));
  EXPECT_EQ(broker.seen().subscribes[0].resume.session, 0U);
  const wire::Resume resume = broker.seen().subscribes[1].resume;
  EXPECT_EQ(resume.session, session);
  EXPECT_EQ(resume.subscription, kFirstId);
  EXPECT_EQ(resume.last_sequence, 2U);
  ASSERT_TRUE(std::holds_alternative<MessageBatch>(*subscription.next_batch()));
  const Gap gap = std::get<Gap>(*subscription.next());
  EXPECT_EQ(gap.reason, "disconnected");
  EXPECT_EQ(gap.first_sequence, 3U);
  EXPECT_EQ(gap.last_sequence, 9U);
  EXPECT_EQ(gap.count, 7U);
  EXPECT_TRUE(std::get<Reconnected>(*subscription.next()).is_exact);
}

TEST_F(SubscriptionTest, WhereNothingWasMissedThereIsNoGap) {
  broker.set_behaviour({.resumed = {.known = true, .matched = 2}});
  blocking::Subscription subscription = subscribe();
  deliver(1, {"a", "b"});
  ASSERT_TRUE(client->ping());
  broker.drop_connections();
  ASSERT_TRUE(std::holds_alternative<MessageBatch>(*subscription.next_batch()));
  EXPECT_TRUE(std::get<Reconnected>(*subscription.next()).is_exact);
}

TEST_F(SubscriptionTest, AMemberOfAGroupAsksNothingOfWhatItMissed) {
  SubscribeOptions options;
  options.share = "workers";
  blocking::Subscription subscription = subscribe(options);
  broker.drop_connections();
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.subscribes.size() == 2; }));
  EXPECT_EQ(broker.seen().subscribes[1].resume.session, 0U);
}

TEST_F(SubscriptionTest, ASubscribeThatIsGivenUpAtOnceIsEndedAtTheBroker) {
  async::CancelSource source;
  source.cancel("not wanted");
  SubscribeOptions options;
  options.filters = {"t"};
  const auto never = async::run_here(Duration::max(), [&](const async::Context&) {
    return client->async().subscribe(source.context(), options);
  });
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code, ErrorCode::kCanceled);
  // What was sent before the ping has been seen with its answer; the end of it may come later.
  ASSERT_TRUE(client->ping());
  EXPECT_TRUE(broker.wait_for(
      [](const Seen& seen) { return seen.subscribes.size() == seen.unsubscribes.size(); }));
}

// What is taken while there is no connection is counted in the next one's first credit, and what is
// taken from then on comes back as before.
TEST_F(SubscriptionTest, CreditGoesOnComingBackAfterALoss) {
  SubscribeOptions options;
  options.credit_messages = 4;
  blocking::Subscription subscription = subscribe(options);
  deliver(1, {"1", "2", "3"});
  ASSERT_TRUE(client->ping());
  broker.stop_listening();
  broker.drop_connections();
  while (client->state() == ConnectionState::kConnected) std::this_thread::yield();
  EXPECT_TRUE(subscription.next_batch());
  broker.listen_again();
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.subscribes.size() == 2; }));
  EXPECT_EQ(broker.seen().subscribes.back().credit_messages, 4U);
  deliver(1, {"4", "5", "6"});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(subscription.next_batch());  // gap, return, messages
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return !seen.credits.empty(); }));
  EXPECT_EQ(broker.seen().credits.back().messages, 3U);
}

TEST_F(SubscriptionTest, ARefusalIsTheErrorOfSubscribe) {
  broker.set_behaviour({.refuse_subscribe = static_cast<std::uint16_t>(ErrorCode::kBadLadder)});
  const auto refused = client->subscribe({.filters = {"t"}, .overflow = "fly"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadLadder);
  EXPECT_EQ(refused.error().detail, "as told");
}

TEST_F(SubscriptionTest, ClosingGivesTheAccountAndThenTheEnd) {
  blocking::Subscription subscription = subscribe();
  deliver(1, {"last"});
  ASSERT_TRUE(client->ping());
  const auto account = subscription.close();
  ASSERT_TRUE(account) << account.error().message();
  EXPECT_EQ(account->matched, 5U);
  EXPECT_EQ(account->delivered, 3U);
  EXPECT_EQ(account->dropped, 2U);
  EXPECT_EQ(std::get<Message>(*subscription.next()).text(), "last");
  EXPECT_EQ(subscription.next().error().code, ErrorCode::kClosed);
}

TEST_F(SubscriptionTest, TheLastHandleToGoUnsubscribes) {
  {
    const blocking::Subscription subscription = subscribe();
  }
  EXPECT_TRUE(broker.wait_for(
      [](const Seen& seen) { return seen.unsubscribes == std::vector<std::uint32_t>{kFirstId}; }));
}

TEST_F(SubscriptionTest, AConsumerThatWaitsIsWokenByEachArrival) {
  blocking::Subscription subscription = subscribe();
  constexpr int kMessages = 500;
  std::thread feeder([&] {
    for (int i = 1; i <= kMessages; ++i) deliver(static_cast<std::uint64_t>(i), {"x"});
  });
  int received = 0;
  while (received < kMessages) {
    const auto item = subscription.next_batch(seconds(10));
    ASSERT_TRUE(item) << item.error().message();
    received += static_cast<int>(std::get<MessageBatch>(*item).size());
  }
  feeder.join();
  EXPECT_EQ(received, kMessages);
}

TEST_F(SubscriptionTest, ARequestWhoseConnectionIsLostFailsAtOnceAndIsNotSentAgain) {
  broker.set_behaviour({.receipts = false});
  std::thread breaker([&] {
    ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.publishes.size() == 1; }));
    broker.drop_connections();
  });
  const auto lost = client->request("ask", {.payload = as_bytes("?")}, seconds(60));
  breaker.join();
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kConnectionLost);
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.connections == 2; }));
  std::thread responder([&] {
    ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.publishes.size() == 2; }));
    const auto headers = broker.seen().publishes.back().headers;
    EXPECT_TRUE(headers.at(0).second.starts_with("$inbox.00000000000000a2."));
    broker.drop_connections();
  });
  EXPECT_FALSE(client->request("ask", {.payload = as_bytes("?")}, seconds(60)));
  responder.join();
}

TEST_F(SubscriptionTest, RequestsFindTheirAnswersAndNoResponders) {
  broker.set_behaviour({.receipts = false});
  std::thread responder([&] {
    ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.publishes.size() == 1; }));
    broker.with_peer([](FakeBroker::Peer& peer) {
      wire::Receipt receipt;
      receipt.first_publish = 1;
      receipt.status = wire::ReceiptStatus::kRejected;
      receipt.reason = static_cast<std::uint16_t>(ErrorCode::kNoResponders);
      receipt.messages = 1;
      peer.send(receipt, 1);
    });
  });
  const auto nobody = client->request("ask", {.payload = as_bytes("?")});
  responder.join();
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, ErrorCode::kNoResponders);
  const auto request = broker.seen().publishes.at(0);
  EXPECT_EQ(request.flags, wire::kPublishNamed | wire::kPublishNeedResponders);
  ASSERT_EQ(request.headers.size(), 2U);
  EXPECT_EQ(request.headers[0].first, "reply_to");
  EXPECT_TRUE(request.headers[0].second.starts_with("$inbox.00000000000000a1."));
  EXPECT_EQ(broker.seen().subscribes.at(0).filters.at(0), "$inbox.00000000000000a1.>");
  EXPECT_EQ(client->request("ask", {.payload = as_bytes("?")}, milliseconds(5)).error().code,
            ErrorCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace sluice
