// What is told of publishes that name their topic.

#include <atomic>
#include <gtest/gtest.h>
#include <sluice/blocking.h>

#include "tests/unit/client/fake_broker.h"

namespace sluice {
namespace {

TEST(NamedPublish, ItsReceiptsAreToldAsTheyCome) {
  testing_support::FakeBroker broker;
  std::atomic<std::uint64_t> told = 0;
  ClientOptions options;
  options.server = broker.address();
  options.on_receipt = [&](const Receipt& receipt) { told += receipt.messages; };
  auto client = blocking::Client::connect(options);
  ASSERT_TRUE(client) << client.error().message();
  ASSERT_TRUE(client->publish("a", as_bytes("x")));
  Need need;
  need.accept_all = true;
  ASSERT_TRUE(client->publish_and_wait("b", {.payload = as_bytes("y")}, need));
  auto publisher = client->publisher("c");  // has an on_receipt of its own
  ASSERT_TRUE(publisher->publish_and_wait({.payload = as_bytes("z")}));
  ASSERT_TRUE(client->flush());
  EXPECT_EQ(told, 2U);
}

}  // namespace
}  // namespace sluice
