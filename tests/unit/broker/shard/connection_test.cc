// How a connection begins, is refused, and ends.

#include <gtest/gtest.h>

#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

TEST(Connection, IsWelcomedAndAnswersPings) {
  ShardHarness broker;
  TestClient& client = broker.connect(0);
  client.say(wire::Ping{42});
  broker.run();
  EXPECT_EQ(client.heard(), "PONG 42\n");
  EXPECT_EQ(broker.sink().opened, 1U);
}

TEST(Connection, AHelloInSingleBytesIsOneHello) {
  ShardHarness broker;
  TestClient& client = broker.connect_silently(0);
  client.hello();
  for (int i = 0; i < 200; ++i) broker.turn(0, 1);
  EXPECT_EQ(client.heard(), "WELCOME\n");
}

TEST(Connection, WhatIsNotTheProtocolIsToldSoAndClosed) {
  ShardHarness broker;
  for (const std::string_view text : {"GET / HTTP/1.1\r\n\r\n",
                                      "\x16\x03\x01\x02\x00\x01\x00\x01"
                                      "\x00\x00\x00\x00\x00\x00\x00\x00"}) {
    TestClient& client = broker.connect_silently(0);
    client.say_bytes(std::as_bytes(std::span(text.data(), 16)));
    broker.run();
    EXPECT_EQ(client.heard(), "ERROR bad-magic closes\nCLOSED\n");
  }
  EXPECT_EQ(broker.shard(0).connection_count(), 0U);
}

TEST(Connection, AnythingBeforeHelloIsRefused) {
  ShardHarness broker;
  TestClient& client = broker.connect_silently(0);
  client.publish("a", {"x"});
  broker.run();
  EXPECT_EQ(client.heard(), "ERROR bad-magic closes\nCLOSED\n");
}

TEST(Connection, ASecondHelloIsRefused) {
  ShardHarness broker;
  TestClient& client = broker.connect(0);
  client.hello();
  broker.run();
  EXPECT_EQ(client.heard(), "ERROR unexpected-frame closes\nCLOSED\n");
}

TEST(Connection, WithoutHelloInTimeIsClosed) {
  ShardHarness broker;
  TestClient& silent = broker.connect_silently(0);
  TestClient& served = broker.connect(0);
  broker.pass(4900ms);
  EXPECT_EQ(silent.heard(), "");
  broker.pass(500ms);
  EXPECT_EQ(silent.heard(), "ERROR handshake-timeout closes\nCLOSED\n");
  EXPECT_FALSE(served.gone());
}

TEST(Connection, MoreThanAllowedAreRefused) {
  HarnessOptions options;
  options.options.max_connections = 1;
  ShardHarness broker(options);
  TestClient& first = broker.connect(0);
  TestClient& second = broker.connect_silently(0);
  broker.run();
  EXPECT_EQ(second.heard(), "REFUSED\n");
  first.vanish();
  broker.run();
  broker.connect(0);
}

TEST(Connection, ThatEndsItsSideHearsWhatItIsOwed) {
  ShardHarness broker;
  TestClient& client = broker.connect(0);
  client.publish("nobody", {"x"});
  client.half_close();
  broker.run();
  EXPECT_EQ(client.heard(), "RECEIPT 1 accepted messages=1\nCLOSED\n");
}

TEST(Connection, ThatEndsItsSideIsClosedThoughItWantsNoReceipt) {
  ShardHarness broker;
  TestClient& reader = broker.connect(0);
  reader.subscribe({.filters = {"a"}, .overflow = "block", .max_messages = 1, .credit = 0});
  broker.run();
  TestClient& client = broker.connect(0);
  client.publish("a", {.payloads = {"1"}, .flags = wire::kPublishReceiptNone});
  client.publish("a", {.payloads = {"2"}, .flags = wire::kPublishReceiptProblems});
  client.half_close();
  broker.run();
  EXPECT_FALSE(client.gone());
  reader.credit(1, 1);
  broker.run();
  EXPECT_EQ(client.heard(), "CLOSED\n");
}

TEST(Connection, ThatEndsItsSideHearsTheReceiptsThatComeLate) {
  ShardHarness broker;
  TestClient& reader = broker.connect(0);
  reader.subscribe({.filters = {"a"}, .overflow = "block", .max_messages = 1, .credit = 0});
  broker.run();
  TestClient& client = broker.connect(0);
  client.publish("a", {"1"});
  client.publish("a", {"2"});
  client.half_close();
  broker.run();
  EXPECT_EQ(client.heard(), "RECEIPT 1 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_FALSE(client.gone());
  reader.credit(1, 1);
  broker.run();
  EXPECT_EQ(client.heard(), "RECEIPT 2 accepted messages=1 matched=1 accepted=1\nCLOSED\n");
}

TEST(Connection, ThatEndsItsSideAndWantsNoReceiptIsClosed) {
  ShardHarness broker({.shards = 2});
  TestClient& reader = broker.connect(1);
  reader.subscribe({.filters = {"a"}, .overflow = "block", .max_messages = 1, .credit = 0});
  broker.run();
  TestClient& client = broker.connect(0);
  client.publish("a", {.payloads = {"1"}, .flags = wire::kPublishReceiptNone});
  client.publish("a", {.payloads = {"2"}, .flags = wire::kPublishReceiptProblems});
  client.half_close();
  broker.run();
  EXPECT_FALSE(client.gone());
  reader.credit(1, 1);
  broker.run();
  EXPECT_EQ(client.heard(), "CLOSED\n");
}

TEST(Connection, ThatEndsItsSideIsToldOfOnceWithWhatEndedItAtLast) {
  ShardHarness broker;
  TestClient& reader = broker.connect(0);
  reader.subscribe({.filters = {"a"}, .overflow = "block", .max_messages = 1, .credit = 0});
  broker.run();
  TestClient& polite = broker.connect(0);
  polite.half_close();
  broker.run();
  EXPECT_TRUE(polite.gone());
  EXPECT_EQ(broker.sink().closed, 1U);
  EXPECT_EQ(broker.sink().closed_for, base::ErrorCode::kNone);
  TestClient& torn = broker.connect(0);
  torn.publish("a", {"1", "2"});
  torn.half_close();
  broker.run();
  EXPECT_EQ(broker.sink().closed, 1U);  // it waits for its receipt
  torn.vanish();
  broker.run();
  EXPECT_TRUE(torn.gone());
  EXPECT_EQ(broker.sink().closed, 2U);
  EXPECT_EQ(broker.sink().closed_for, base::ErrorCode::kConnectionLost);
}

TEST(Connection, ThatIsNotReadFromAnyMoreIsReadAgain) {
  HarnessOptions options;
  options.options.output_high = 1000;
  ShardHarness broker(options);
  TestClient& client = broker.connect(0);
  for (std::uint64_t i = 0; i < 1000; ++i) client.say(wire::Ping{i});
  broker.run();
  client.say(wire::Ping{4711});
  broker.run();
  EXPECT_TRUE(client.heard().ends_with("PONG 4711\n"));
}

TEST(Connection, ThatDoesNotReadIsNotReadFrom) {
  HarnessOptions options;
  options.options.output_high = 1000;
  ShardHarness broker(options);
  TestClient& client = broker.connect(0);
  client.link().set_room(0);
  for (int round = 0; round < 50; ++round) {
    for (std::uint64_t i = 0; i < 1000; ++i) client.say(wire::Ping{i});
    broker.turn(0, 1000);
  }
  EXPECT_FALSE(client.link().reading());
  EXPECT_LT(client.link().unsent_bytes(), 10000U);
}

TEST(Connection, MayHaveFewRequestsOpenAtOnce) {
  ShardHarness broker;
  TestClient& client = broker.connect(0);
  const wire::Request request{.verb = "status"};
  for (std::uint64_t i = 1; i <= 9; ++i) client.say(request, i);
  broker.run();
  EXPECT_EQ(client.heard(), "ERROR unavailable stays\n");
  ASSERT_EQ(broker.sink().requests.size(), 8U);
  broker.shard(0).reply(broker.sink().requests[0], base::ErrorCode::kNone, "{}");
  client.say(request, 10);
  broker.run();
  EXPECT_EQ(client.heard(), "REPLY {}\n");
  EXPECT_EQ(broker.sink().requests.size(), 9U);
}

TEST(Connection, IsNotSentAnAnswerLargerThanItTakes) {
  ShardHarness broker;
  TestClient& client = broker.connect(0);
  for (std::uint64_t i = 1; i <= 2; ++i) client.say(wire::Request{.verb = "status"}, i);
  broker.run();
  const port::AdminReturn first = broker.sink().requests.at(0);
  EXPECT_EQ(first.max_bytes, (1U << 20) - 8);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string body(first.max_bytes + i, 'x');
    broker.shard(0).reply(broker.sink().requests.at(i), base::ErrorCode::kNone, body);
    broker.run();
    const std::string expected =
        i == 0 ? body : R"({"error":"the answer is larger than the client takes"})";
    EXPECT_TRUE(client.heard() == "REPLY " + expected + "\n");
  }
}

TEST(Connection, MaySubscribeToItsOwnInboxOnly) {
  ShardHarness broker;
  TestClient& a = broker.connect(0);
  TestClient& b = broker.connect(0);
  char inbox[32];
  std::snprintf(inbox, sizeof inbox, "$inbox.%016llx.",
                static_cast<unsigned long long>(a.session()));
  a.subscribe({.filters = {std::string(inbox) + "*"}});
  b.subscribe({.filters = {std::string(inbox) + "*"}});
  b.publish(std::string(inbox) + "1", {"answer"});
  broker.run();
  EXPECT_EQ(a.heard(), "SUBSCRIBED 1 next=1\nDELIVER 1 #1 " + std::string(inbox) + "1 answer\n");
  EXPECT_EQ(b.heard(),
            "ERROR reserved-topic stays\nRECEIPT 1 accepted messages=1 matched=1 accepted=1\n");
}

TEST(Connection, BadSubscriptionsAreRefusedAndItStays) {
  ShardHarness broker;
  TestClient& client = broker.connect(0);
  const struct {
    SubscribeOptions options;
    const char* error;
  } cases[] = {
      {{.id = 1, .filters = {"a..b"}}, "bad-filter"},
      {{.id = 1, .filters = {"a.>.b"}}, "bad-filter"},
      {{.id = 1, .filters = {"$sys.>"}}, "reserved-topic"},
      {{.id = 1, .filters = {"a"}, .overflow = "drop_oldest,block"}, "bad-ladder"},
      {{.id = 1, .filters = {"a"}, .overflow = "block:1s"}, "bad-ladder"},
      {{.id = 1, .filters = {"a"}, .max_messages = 4000000000U}, "bad-argument"},
      {{.id = 1, .filters = {"a"}, .max_bytes = 1ULL << 40}, "bad-argument"},
      {{.id = 1, .filters = {"a"}, .name = std::string(300, 'n')}, "bad-argument"},
  };
  for (const auto& each : cases) {
    client.subscribe(each.options);
    broker.run();
    EXPECT_EQ(client.heard(), "ERROR " + std::string(each.error) + " stays\n");
  }
  client.subscribe({.filters = {"a"}});
  client.subscribe({.filters = {"b"}});
  broker.run();
  EXPECT_EQ(client.heard(), "SUBSCRIBED 1 next=1\nERROR duplicate-subscription stays\n");
  client.unsubscribe(9);
  broker.run();
  EXPECT_EQ(client.heard(), "ERROR unknown-subscription stays\n");
}

// More topics than a shard may know, none of them held: each is known when it is needed.
TEST(Connection, TopicsComeAndGoUnderASmallLimit) {
  HarnessOptions options;
  options.shards = 2;
  options.options.max_topics = 2;
  ShardHarness broker(options);
  TestClient& pub = broker.connect(0);
  TestClient& sub = broker.connect(1);
  sub.subscribe({.filters = {">"}});
  broker.run();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 10; ++i) {
      pub.publish("t." + std::to_string(i), {std::to_string(i)});
      broker.run();
    }
  }
  EXPECT_EQ(sub.told().at(1).size(), 30U);
  for (const Told& told : sub.told().at(1)) EXPECT_EQ(told.topic, "t." + told.payload);
}

// Every topic that the subscriber's shard may know is held there; names from elsewhere still pass.
TEST(Connection, TopicsHeldElsewhereDoNotKeepMessagesOut) {
  HarnessOptions options;
  options.shards = 2;
  options.options.max_topics = 2;
  ShardHarness broker(options);
  TestClient& pub = broker.connect(0);
  TestClient& sub = broker.connect(1);
  sub.open_topic("held.1");
  sub.open_topic("held.2");
  sub.open_topic("held.3");
  sub.subscribe({.filters = {"x"}});
  broker.run();
  EXPECT_EQ(sub.heard(),
            "TOPIC held.1\nTOPIC held.2\nERROR topic-limit stays\nSUBSCRIBED 1 next=1\n");
  pub.publish("x", {"1"});
  broker.run();
  EXPECT_EQ(pub.heard(), "RECEIPT 1 accepted messages=1 matched=1 accepted=1\n");
  EXPECT_EQ(sub.heard(), "DELIVER 1 #1 x 1\n");
}

// A publisher is told at once when the shard of a subscriber has fallen behind.
TEST(Connection, AFullMailboxRefusesPublishes) {
  HarnessOptions options;
  options.shards = 2;
  options.options.mailbox_entries = 3;
  ShardHarness broker(options);
  TestClient& pub = broker.connect(0);
  TestClient& sub = broker.connect(1);
  sub.subscribe({.filters = {"x"}});
  broker.run();
  for (int i = 0; i < 40; ++i) {
    pub.publish("x", {std::to_string(i)});
    broker.turn(0);  // the other shard sleeps
  }
  const std::string refused = pub.heard();
  EXPECT_NE(refused.find("rejected shard-busy"), std::string::npos) << refused;
  broker.run();
  std::uint64_t accepted = 0;
  for (const ReceiptRow& row : pub.receipts()) accepted += row.receipt.accepted;
  EXPECT_EQ(sub.told().at(1).size(), accepted);
  EXPECT_GT(accepted, 10U);
}

}  // namespace
}  // namespace sluice::testing
