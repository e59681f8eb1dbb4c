// What becomes of publishes that are withdrawn, and of those that expire, before and after they are
// sent.

#include <gtest/gtest.h>
#include <sluice/async/async.h>
#include <sluice/blocking.h>
#include <sluice/trace.h>
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

constexpr Duration kLong = seconds(10);

class WithdrawTest : public testing::Test {
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

  static blocking::Publication begin(blocking::Publisher& publisher, std::string_view text) {
    Outgoing message;
    message.payload = as_bytes(text);
    auto begun = publisher.begin(message);
    EXPECT_TRUE(begun) << begun.error().message();
    return std::move(*begun);
  }
  bool wait_for_publishes(std::size_t count) {
    return broker.wait_for([=](const Seen& seen) { return seen.publishes.size() == count; });
  }
  /// Runs `make_task` with a context that is cancelled once the broker has seen `count` publishes.
  template <typename MakeTask>
  auto cancelled_after(std::size_t count, MakeTask make_task) {
    async::CancelSource source;
    std::thread canceller([&] {
      EXPECT_TRUE(wait_for_publishes(count));
      source.cancel("changed my mind");
    });
    auto result =
        run_here(Duration::max(), [&](const Context&) { return make_task(source.context()); });
    canceller.join();
    return result;
  }
  PublishTotals totals() { return client->totals(); }
  static std::uint64_t count(const PublishTotals& totals, ReceiptStatus status) {
    return totals.by_status[static_cast<std::size_t>(status)];
  }

  FakeBroker broker;
  std::optional<blocking::Client> client;
};

TEST_F(WithdrawTest, ASentPublishIsWithdrawnByTheBroker) {
  broker.set_behaviour({.withdrawn = 3});
  auto publisher = client->publisher("orders");
  blocking::Publication publication = begin(*publisher, "x");
  ASSERT_TRUE(publication.receipt());
  const auto withdrawal = publication.cancel();
  ASSERT_TRUE(withdrawal) << withdrawal.error().message();
  EXPECT_TRUE(withdrawal->was_sent);
  EXPECT_EQ(withdrawal->copies, 3U);
  const auto cancels = broker.seen().cancels;
  ASSERT_EQ(cancels.size(), 1U);
  EXPECT_EQ(cancels[0].target, 1U);
  EXPECT_EQ(cancels[0].topic, 1U);
  EXPECT_TRUE(cancels[0].name.empty());
  EXPECT_EQ(publisher->totals().withdrawn, 3U);
}

TEST_F(WithdrawTest, WhatWasNotSentIsSimplyTakenOut) {
  broker.set_behaviour({.give_grant_back = false, .window = 65536});
  // The window comes with WELCOME and TOPIC: a new connection has the small one.
  broker.drop_connections();
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.connections == 2; }));
  auto publisher = client->publisher("orders");
  const std::string big(60000, 'x');
  ASSERT_TRUE(publisher->publish(as_bytes(big)));
  ASSERT_TRUE(wait_for_publishes(1));
  blocking::Publication waiting = begin(*publisher, big);
  const auto withdrawal = waiting.cancel();
  ASSERT_TRUE(withdrawal) << withdrawal.error().message();
  EXPECT_FALSE(withdrawal->was_sent);
  EXPECT_EQ(withdrawal->copies, 0U);
  const auto told = waiting.receipt();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->status, ReceiptStatus::kCancelled);
  EXPECT_TRUE(publisher->flush());  // nothing is open any more
  EXPECT_EQ(count(publisher->totals(), ReceiptStatus::kCancelled), 1U);
  EXPECT_EQ(broker.seen().publishes.size(), 1U);
  EXPECT_TRUE(broker.seen().cancels.empty());
}

TEST_F(WithdrawTest, APublishThatMayBeWithdrawnSharesItsBatchWithNobody) {
  broker.set_behaviour({.receipts = false});
  auto publisher = client->publisher("orders");
  ASSERT_TRUE(publisher->publish(as_bytes("before")));
  const blocking::Publication publication = begin(*publisher, "alone");
  ASSERT_TRUE(publisher->publish(as_bytes("after")));
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) {
    return !seen.publishes.empty() && seen.publishes.back().payloads.back() == "after";
  }));
  const Seen seen = broker.seen();
  const auto alone = std::vector<std::string>{"alone"};
  EXPECT_EQ(std::count_if(seen.publishes.begin(), seen.publishes.end(),
                          [&](const auto& publish) { return publish.payloads == alone; }),
            1);
}

TEST_F(WithdrawTest, ACancelledWaitWithdrawsAndSaysHowMuch) {
  broker.set_behaviour({.receipts = false, .withdrawn = 2});
  auto publisher = client->publisher("orders");
  Outgoing message;
  message.payload = as_bytes("x");
  const auto result = cancelled_after(1, [&](const Context& context) {
    return publisher->async().publish_and_wait(context, message);
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCanceled);
  EXPECT_EQ(result.error().detail, "changed my mind; 2 copies were withdrawn");
  EXPECT_EQ(publisher->totals().withdrawn, 2U);
}

TEST_F(WithdrawTest, ACancelledRequestWithdrawsItsPublishByName) {
  broker.set_behaviour({.receipts = false, .withdrawn = 1});
  Outgoing message;
  message.payload = as_bytes("?");
  const auto result = cancelled_after(1, [&](const Context& context) {
    return client->async().request(context, "prices.get", message);
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kCanceled);
  EXPECT_EQ(result.error().detail, "changed my mind; 1 copies were withdrawn");
  EXPECT_EQ(broker.seen().cancels.at(0).name, "prices.get");
}

TEST_F(WithdrawTest, ABrokerThatDoesNotWithdrawIsSaidSo) {
  broker.set_behaviour(
      {.receipts = false,
       .refuse_cancel = static_cast<std::uint16_t>(ErrorCode::kUnsupportedFeature)});
  auto publisher = client->publisher("orders");
  Outgoing message;
  message.payload = as_bytes("x");
  const auto result = cancelled_after(1, [&](const Context& context) {
    return publisher->async().publish_and_wait(context, message);
  });
  EXPECT_EQ(result.error().code, ErrorCode::kCanceled);
  EXPECT_NE(result.error().detail.find("how much was withdrawn is unknown"), std::string::npos);
  EXPECT_NE(result.error().detail.find("unsupported-feature"), std::string::npos);
}

TEST_F(WithdrawTest, ADeadlineThatPassesSendsNoCancel) {
  broker.set_behaviour({.receipts = false});
  const auto result =
      client->publish_and_wait("orders", {.payload = as_bytes("x")}, {}, milliseconds(20));
  EXPECT_EQ(result.error().code, ErrorCode::kDeadlineExceeded);
  ASSERT_TRUE(client->ping());
  EXPECT_TRUE(broker.seen().cancels.empty());  // the deadline went along
}

TEST_F(WithdrawTest, WithAnotherConnectionNothingCanBeWithdrawn) {
  auto publisher = client->publisher("orders");
  blocking::Publication publication = begin(*publisher, "x");
  ASSERT_TRUE(publication.receipt());
  broker.drop_connections();
  ASSERT_TRUE(broker.wait_for([](const Seen& seen) { return seen.connections == 2; }));
  const auto withdrawal = publication.cancel();
  ASSERT_FALSE(withdrawal);
  EXPECT_EQ(withdrawal.error().code, ErrorCode::kConnectionLost);
  EXPECT_TRUE(broker.seen().cancels.empty());
}

TEST_F(WithdrawTest, AfterTheClientNothingCanBeWithdrawn) {
  auto publisher = client->publisher("orders");
  blocking::Publication publication = begin(*publisher, "x");
  client.reset();
  EXPECT_EQ(publication.cancel().error().code, ErrorCode::kClosed);
}

TEST_F(WithdrawTest, WhatIsPastItsDeadlineIsNotSent) {
  auto publisher = client->publisher("orders");
  Outgoing message;
  message.payload = as_bytes("too late");
  message.deadline = base::SystemClock().wall_now() - seconds(1);
  const auto told = publisher->publish_and_wait(message);
  ASSERT_TRUE(told) << told.error().message();
  EXPECT_EQ(told->status, ReceiptStatus::kExpired);
  EXPECT_EQ(told->reason, ErrorCode::kDeadlineExceeded);
  ASSERT_TRUE(client->ping());
  EXPECT_TRUE(broker.seen().publishes.empty());
  EXPECT_EQ(count(totals(), ReceiptStatus::kExpired), 1U);
}

TEST_F(WithdrawTest, CopiesThatExpireLaterAreTold) {
  std::atomic<std::uint64_t> told = 0;
  PublisherOptions options;
  options.on_expired = [&](std::uint64_t copies) { told += copies; };
  auto publisher = client->publisher("orders", options);
  Outgoing message;
  message.payload = as_bytes("x");
  message.deadline = base::SystemClock().wall_now() + seconds(60);
  ASSERT_TRUE(publisher->publish_and_wait(message));
  broker.with_peer([](FakeBroker::Peer& peer) {
    for (const std::uint64_t target : {1, 99}) {  // one of them nobody remembers
      wire::Cancel expired;
      expired.target = target;
      expired.withdrawn = 2;
      peer.send(expired, 0, wire::kCancelExpired);
    }
  });
  ASSERT_TRUE(client->ping());
  EXPECT_EQ(told, 2U);
  EXPECT_EQ(publisher->totals().expired_later, 2U);
  EXPECT_EQ(totals().expired_later, 4U);
}

TEST_F(WithdrawTest, TheTextOfAReceiptIsTold) {
  broker.set_behaviour({.receipts = false});
  std::thread answer([&] {
    ASSERT_TRUE(wait_for_publishes(1));
    broker.with_peer([](FakeBroker::Peer& peer) {
      wire::Receipt receipt;
      receipt.first_publish = 1;
      receipt.status = wire::ReceiptStatus::kRejected;
      receipt.reason = static_cast<std::uint16_t>(ErrorCode::kRateLimited);
      receipt.messages = 1;
      receipt.text = "limit orders of user anna";
      peer.send(receipt, 1);
    });
  });
  const auto receipt = client->publish_and_wait("t", {.payload = as_bytes("x")});
  answer.join();
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->text, "limit orders of user anna");
}

TEST_F(WithdrawTest, TheContextsTraceAndValuesGoAlong) {
  auto publisher = client->publisher("orders");
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  Outgoing message;
  message.payload = as_bytes("x");
  message.headers = {{"baggage", "own=1"}};
  const auto publish = [&](const Context& context) {
    const Context traced = with_baggage(with_traceparent(context, trace, "v=1"), "tenant", "7");
    return publisher->async().publish_and_wait(traced, message);
  };
  ASSERT_TRUE(run_here(kLong, publish));
  message.headers.clear();
  ASSERT_TRUE(run_here(kLong, publish));
  using Headers = std::vector<std::pair<std::string, std::string>>;
  const Seen seen = broker.seen();
  EXPECT_EQ(seen.publishes.at(0).headers,
            (Headers{{"baggage", "own=1"}, {"traceparent", trace}, {"tracestate", "v=1"}}));
  EXPECT_EQ(seen.publishes.at(1).headers,
            (Headers{{"traceparent", trace}, {"tracestate", "v=1"}, {"baggage", "tenant=7"}}));
}

}  // namespace
}  // namespace sluice
