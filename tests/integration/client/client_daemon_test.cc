// What a context and an idempotent producer mean, from a publisher to a subscriber through a daemon
// whose address is in SLUICE_TEST_SERVER.

#include <cstdlib>
#include <gtest/gtest.h>
#include <optional>
#include <sluice/async/async.h>
#include <sluice/blocking.h>
#include <sluice/trace.h>
#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using async::Context;
using async::run_here;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kLong = seconds(30);
constexpr std::string_view kTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class ClientDaemon : public testing::Test {
 protected:
  static blocking::Client connect(ClientOptions options = {}) {
    const char* server = std::getenv("SLUICE_TEST_SERVER");
    options.server = server == nullptr ? "no SLUICE_TEST_SERVER" : server;
    auto client = blocking::Client::connect(options);
    EXPECT_TRUE(client) << client.error().message();
    return std::move(*client);
  }
  static ClientOptions producer(std::uint64_t id, std::uint64_t first = 0) {
    ClientOptions options;
    options.producer_id = id;
    options.first_sequence = first;
    return options;
  }
  static Outgoing message(std::string_view text) {
    Outgoing outgoing;
    outgoing.payload = as_bytes(text);
    return outgoing;
  }
  /// A subscription whose queue holds one message, with credit for one, and which blocks.
  static blocking::Subscription narrow(blocking::Client& client, const std::string& topic) {
    SubscribeOptions options;
    options.filters = {topic};
    options.name = topic;
    options.queue_messages = 1;
    options.credit_messages = 1;
    options.overflow = "block";
    auto subscription = client.subscribe(options);
    EXPECT_TRUE(subscription) << subscription.error().message();
    return std::move(*subscription);
  }
  /// Publishes until the subscription holds all it can: what comes next waits behind `block`.
  void fill(blocking::Client& client, const std::string& topic) {
    for (const char* text : {"in hand", "queued"}) {
      const auto receipt = client.publish_and_wait(topic, message(text));
      ASSERT_TRUE(receipt) << receipt.error().message();
      ASSERT_EQ(receipt->status, ReceiptStatus::kAccepted) << text;
    }
  }
  static void await_blocked(blocking::Client& client, const std::string& topic) {
    const std::string body = R"({"kind":"topic","name":")" + topic + R"(","limit":9})";
    for (;;) {
      const auto told = client.admin("explain", body);
      ASSERT_TRUE(told) << told.error().message();
      if (told->find("blocked_by") != std::string::npos) return;
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
  /// The next so many items: payloads, and gaps as "gap:REASON:COUNT".
  static std::vector<std::string> take(blocking::Subscription& subscription, std::size_t count) {
    std::vector<std::string> seen;
    while (seen.size() < count) {
      const auto item = subscription.next(kLong);
      if (!item) {
        ADD_FAILURE() << item.error().message();
        return seen;
      }
      if (const auto* one = std::get_if<Message>(&*item)) seen.emplace_back(one->text());
      if (const auto* gap = std::get_if<Gap>(&*item)) {
        seen.push_back("gap:" + gap->reason + ":" + std::to_string(gap->count));
      }
    }
    return seen;
  }

  using Texts = std::vector<std::string>;
};

TEST_F(ClientDaemon, APublishThatIsCancelledBehindABlockIsWithdrawn) {
  blocking::Client reader = connect();
  blocking::Client writer = connect();
  blocking::Subscription subscription = narrow(reader, "cancelled.behind");
  fill(writer, "cancelled.behind");
  auto publisher = writer.publisher("cancelled.behind");
  async::CancelSource source;
  std::thread canceller([&] {
    await_blocked(reader, "cancelled.behind");
    source.cancel("the user left");
  });
  const Outgoing outgoing = message("never");
  const auto receipt = run_here(Duration::max(), [&](const Context&) {
    return publisher->async().publish_and_wait(source.context(), outgoing);
  });
  canceller.join();
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().code, ErrorCode::kCanceled);
  EXPECT_EQ(receipt.error().detail, "the user left; 1 copies were withdrawn");
  EXPECT_TRUE(publisher->flush());
  EXPECT_EQ(publisher->totals().withdrawn, 1U);
  EXPECT_EQ(publisher->totals().by_status[static_cast<int>(ReceiptStatus::kCancelled)], 1U);
  ASSERT_TRUE(writer.publish_and_wait("other", message("x")));  // nothing else was held up
  std::thread reading([&] {
    EXPECT_EQ(take(subscription, 4), (Texts{"in hand", "queued", "gap:cancelled:1", "after"}));
  });
  EXPECT_TRUE(writer.publish_and_wait("cancelled.behind", message("after"), {}, kLong));
  reading.join();
}

TEST_F(ClientDaemon, AContextsDeadlineEndsThePublishInTheBroker) {
  blocking::Client reader = connect();
  blocking::Client writer = connect();
  blocking::Subscription subscription = narrow(reader, "deadline.behind");
  fill(writer, "deadline.behind");
  auto publisher = writer.publisher("deadline.behind");
  const auto receipt = publisher->publish_and_wait(message("too late"), milliseconds(300));
  if (receipt) {  // the broker was faster than this client's own clock
    EXPECT_EQ(receipt->status, ReceiptStatus::kExpired);
    EXPECT_EQ(receipt->reason, ErrorCode::kDeadlineExceeded);
  } else {
    EXPECT_EQ(receipt.error().code, ErrorCode::kDeadlineExceeded);
  }
  // The broker says so as well, though nobody waits for it any more.
  ASSERT_TRUE(publisher->flush());
  EXPECT_EQ(publisher->totals().by_status[static_cast<int>(ReceiptStatus::kExpired)], 1U);
  std::thread reading([&] {
    EXPECT_EQ(take(subscription, 4), (Texts{"in hand", "queued", "gap:expired:1", "after"}));
  });
  EXPECT_TRUE(writer.publish_and_wait("deadline.behind", message("after"), {}, kLong));
  reading.join();
}

TEST_F(ClientDaemon, AContextsDeadlineTravelsWithTheMessage) {
  blocking::Client client = connect();
  auto subscription = client.subscribe({.filters = {"deadline.travels"}});
  ASSERT_TRUE(client.publish("deadline.travels", message("x"), seconds(20)));
  const auto publish = [&](const Context& context) {
    return client.async().publish(context, "deadline.travels", message("y"));
  };
  const WallTime before = base::SystemClock().wall_now();
  ASSERT_TRUE(run_here(seconds(20), publish));
  ASSERT_TRUE(subscription->next(kLong));
  const auto item = subscription->next(kLong);
  const auto deadline = std::get<Message>(*item).deadline();
  ASSERT_TRUE(deadline.has_value());
  EXPECT_GE(*deadline, before + seconds(19));
  EXPECT_LE(*deadline, before + seconds(30));
}

TEST_F(ClientDaemon, TheTraceAndItsValuesArriveUntouched) {
  blocking::Client client = connect();
  auto subscription = client.subscribe({.filters = {"traced"}});
  auto publisher = client.publisher("traced");
  const Outgoing outgoing = message("x");
  const auto publish = [&](const Context& context) {
    const Context traced =
        with_traceparent(context, std::string(kTrace), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    return publisher->async().publish_and_wait(
        with_baggage(with_baggage(traced, "tenant", "7"), "user", "Zo\xc3\xab, \"admin\""),
        outgoing);
  };
  const auto receipt = run_here(kLong, publish);
  ASSERT_TRUE(receipt) << receipt.error().message();
  const auto item = subscription->next(kLong);
  ASSERT_TRUE(item) << item.error().message();
  const Message& received = std::get<Message>(*item);
  EXPECT_EQ(received.header("traceparent"), kTrace);
  EXPECT_EQ(received.header("tracestate"), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  const Context theirs = context_of(Context(), received);
  EXPECT_EQ(traceparent_of(theirs), kTrace);
  EXPECT_EQ(baggage_of(theirs, "tenant"), "7");
  EXPECT_EQ(baggage_of(theirs, "user"), "Zo\xc3\xab, \"admin\"");
}

TEST_F(ClientDaemon, WhatIsPublishedAgainArrivesOnce) {
  blocking::Client reader = connect();
  auto subscription = reader.subscribe({.filters = {"once"}, .name = "once"});
  Need need;
  need.accept_all = true;
  for (const bool again : {false, true}) {
    blocking::Client client = connect(producer(77, 1));
    for (const std::uint64_t number : {1U, 2U}) {
      const std::string text = std::to_string(number);
      const auto receipt = client.publish_and_wait("once", message(text), need);
      ASSERT_TRUE(receipt) << receipt.error().message();
      EXPECT_EQ(receipt->status, again ? ReceiptStatus::kDuplicate : ReceiptStatus::kAccepted);
      EXPECT_EQ(receipt->producer_sequence, number);
    }
  }
  blocking::Client client = connect(producer(77));
  EXPECT_EQ(client.server().producer_next, 3U);
  ASSERT_TRUE(client.publish_and_wait("once", message("3")));
  EXPECT_EQ(take(*subscription, 3), (Texts{"1", "2", "3"}));
}

TEST_F(ClientDaemon, WhatIsRejectedMayBePublishedAgainWithItsNumber) {
  blocking::Client reader = connect();
  Need need;
  need.names = {"not there yet"};
  {
    blocking::Client client = connect(producer(78, 5));
    EXPECT_EQ(client.publish_and_wait("rejected", message("x"), need)->status,
              ReceiptStatus::kRejected);
  }
  auto subscription = reader.subscribe({.filters = {"rejected"}, .name = "not there yet"});
  blocking::Client client = connect(producer(78, 5));
  EXPECT_EQ(client.publish_and_wait("rejected", message("x"), need)->status,
            ReceiptStatus::kAccepted);
  EXPECT_EQ(take(*subscription, 1), Texts{"x"});
}

TEST_F(ClientDaemon, ACancelledNumberedPublishIsWithdrawnAndItsNumberStaysFree) {
  blocking::Client reader = connect();
  blocking::Client writer = connect(producer(79));
  blocking::Subscription subscription = narrow(reader, "numbered.cancelled");
  fill(writer, "numbered.cancelled");
  auto publisher = writer.publisher("numbered.cancelled");
  auto begun = publisher->begin(message("never"));
  ASSERT_TRUE(begun);
  await_blocked(reader, "numbered.cancelled");
  const auto withdrawal = begun->cancel();
  ASSERT_TRUE(withdrawal) << withdrawal.error().message();
  EXPECT_EQ(withdrawal->copies, 1U);
  const auto receipt = begun->receipt();
  ASSERT_TRUE(receipt) << receipt.error().message();
  EXPECT_EQ(receipt->status, ReceiptStatus::kCancelled);
  EXPECT_EQ(receipt->producer_sequence, 3U);
}

TEST_F(ClientDaemon, ASecondClientOfAProducerTakesOver) {
  blocking::Client first = connect(producer(80));
  auto publisher = first.publisher("taken.over");
  ASSERT_TRUE(publisher->publish_and_wait(message("1")));
  blocking::Client second = connect(producer(80));
  EXPECT_EQ(second.publish_and_wait("taken.over", message("2"))->producer_sequence, 2U);
  Status status;
  while (status) status = publisher->publish(message("late"));
  EXPECT_EQ(status.error().code, ErrorCode::kTakenOver);
  EXPECT_EQ(first.state(), ConnectionState::kClosed);
  EXPECT_TRUE(second.publish_and_wait("taken.over", message("3"))->ok());
}

}  // namespace
}  // namespace sluice
