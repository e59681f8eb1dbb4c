// Random publishers, subscribers and operators: whatever limits come and go, each publish has one
// receipt, all that is let in is delivered, and nothing is held in the end.

#include <gtest/gtest.h>
#include <random>

#include "broker/flow/limit_registry.h"
#include "tests/support/shard_harness.h"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;

class LimitsRandom : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  LimitsRandom() : broker({.shards = 2, .seed = GetParam()}), random(GetParam()) {
    for (std::size_t i = 0; i < 4; ++i) clients.push_back(&broker.connect(i % 2, "c"));
    for (TestClient* client : clients) {
      client->subscribe({.id = 1, .filters = {">"}, .overflow = "block"});
      client->subscribe(
          {.id = 2, .filters = {"t.*"}, .overflow = "drop_oldest", .max_messages = 5});
      client->subscribe({.id = 3, .filters = {"t.0"}, .group = "shared"});
      for (int t = 0; t < 3; ++t) client->open_topic("t." + std::to_string(t));
    }
    broker.run();
  }

  std::uint64_t any(std::uint64_t below) { return random() % below; }

  void change_limits() {
    const std::string name = "limit" + std::to_string(any(4));
    if (any(3) == 0) {
      static_cast<void>(registry.remove(name, broker.clock().now()));
    } else {
      model::LimitSpec spec;
      spec.name = name;
      spec.level = static_cast<model::LimitLevel>(any(6));
      spec.direction = static_cast<model::LimitDirection>(any(2));
      spec.enforce = static_cast<model::LimitEnforce>(any(3));
      if (any(2) == 0) spec.messages_per_second = 1 + any(2000);
      if (any(2) == 0) spec.bytes_per_second = 100 + any(50'000);
      if (spec.messages_per_second != 0 && any(2) == 0) spec.burst_messages = 1 + any(20);
      static_cast<void>(registry.set(spec, broker.clock().now()));  // some make no sense
    }
    broker.set_limits(registry.table());
  }

  void publish(TestClient& client) {
    const std::string topic = "t." + std::to_string(any(3));
    PublishOptions options;
    options.payloads.assign(1 + any(4), std::string(any(200), 'x'));
    if (any(4) == 0)
      options.deadline_ns = base::to_wire(broker.clock().wall_now() + 1ms * any(300));
    if (any(8) == 0) options.need.accept_all = true;
    if (client.window(topic) < 4000) return;
    if (any(2) == 0) {
      client.publish_open(topic, options);
    } else {
      client.publish(topic, options);
    }
  }

  void cancel(TestClient& client) {
    if (client.last_publish() == 0) return;
    wire::Cancel frame;
    frame.target = client.last_publish() - any(std::min<std::uint64_t>(client.last_publish(), 3));
    if (any(2) == 0) {
      frame.name = "t.0";
    } else {
      frame.topic = client.topic_id("t.1");
    }
    client.say(frame, 1000 + frame.target);
  }

  flow::LimitRegistry registry{16, 20};
  ShardHarness broker;
  std::mt19937_64 random;
  std::vector<TestClient*> clients;
};

INSTANTIATE_TEST_SUITE_P(Seeds, LimitsRandom, ::testing::Range<std::uint64_t>(1, 21));

TEST_P(LimitsRandom, LeaveNothingUntoldAndNothingHeld) {
  for (int step = 0; step < 400; ++step) {
    if (any(20) == 0) change_limits();
    TestClient& client = *clients[any(clients.size())];
    if (any(10) == 0) {
      cancel(client);
    } else {
      publish(client);
    }
    if (any(3) == 0) broker.pass(1ms * any(40));
  }
  for (const std::string& name : registry.names()) {
    ASSERT_TRUE(registry.remove(name, broker.clock().now()));
  }
  broker.set_limits(registry.table());
  broker.pass(1s);
  EXPECT_TRUE(broker.idle());
  for (const TestClient* client : clients) {
    std::uint64_t told = 0;
    for (const ReceiptRow& row : client->receipts()) told += row.last - row.first + 1;
    EXPECT_EQ(told, client->last_publish()) << "one receipt each";
  }
  for (std::size_t i = 0; i < broker.size(); ++i) {
    const shard::Core& core = broker.shard(i).core();
    for (const auto& [id, connection] : core.connections) {
      for (const auto& [topic, open] : connection->topics) {
        EXPECT_EQ(open.window.left + open.window.to_return, core.options.full_window());
      }
    }
  }
}

}  // namespace
}  // namespace sluice::testing
