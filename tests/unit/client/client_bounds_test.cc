// What a client refuses before anything is sent, since no frame could hold it.

#include <gtest/gtest.h>
#include <sluice/blocking.h>

#include "tests/unit/client/fake_broker.h"

namespace sluice {
namespace {

using testing_support::FakeBroker;

TEST(ClientBounds, WhatTheProtocolHasNoRoomForIsABadArgument) {
  const FakeBroker broker;
  ClientOptions options;
  options.server = broker.address();
  blocking::Client client = std::move(blocking::Client::connect(options).value());
  const std::string long_name(256, 'n');
  const auto code_of_subscribe = [&](SubscribeOptions what) {
    if (what.filters.empty()) what.filters = {"t"};
    return client.subscribe(std::move(what)).error().code;
  };
  SubscribeOptions many;
  for (int i = 0; i < 257; ++i) many.filters.push_back("t" + std::to_string(i));
  EXPECT_EQ(code_of_subscribe(many), ErrorCode::kBadArgument);
  EXPECT_EQ(code_of_subscribe({.filters = {}, .name = long_name}), ErrorCode::kBadArgument);
  EXPECT_EQ(code_of_subscribe({.filters = {}, .share = long_name}), ErrorCode::kBadArgument);
  EXPECT_EQ(code_of_subscribe({.filters = {}, .overflow = std::string(70'000, 'o')}),
            ErrorCode::kBadLadder);
  for (const Need& need : {Need{.names = {17, "n"}}, Need{.names = {long_name}}}) {
    EXPECT_EQ(client.publisher("t", {.need = need}).error().code, ErrorCode::kBadArgument);
    EXPECT_EQ(client.publish_and_wait("t", {}, need).error().code, ErrorCode::kBadArgument);
  }
  EXPECT_EQ(client.admin(std::string(70'000, 'v')).error().code, ErrorCode::kBadArgument);
  EXPECT_EQ(client.admin("v", std::string(2U << 20, 'b')).error().code, ErrorCode::kBadArgument);
  options.name = long_name;
  EXPECT_EQ(blocking::Client::connect(options).error().code, ErrorCode::kBadArgument);
}

}  // namespace
}  // namespace sluice
