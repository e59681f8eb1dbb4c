// history.h: what did clients say and hear in a run?
//
// Stamps count what happened in the run: what was heard before something was said, in stamps, was
// so in truth.
//
// Owner:    World.
// Thread:   the test's.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/test_client.h"

namespace sluice::sim {

using Stamp = std::uint64_t;
inline constexpr Stamp kNotYet = UINT64_MAX;

/// A publish as its client made it, and what it heard of it.
struct Published {
  std::size_t actor = 0;
  std::uint64_t number = 0;
  std::string topic{};
  bool named = true;
  std::uint32_t messages = 0;
  std::uint8_t flags = 0;
  bool need_all = false;
  std::vector<std::string> need_names{};
  std::uint64_t deadline_ns = 0;
  Stamp said = 0;
  Stamp heard = kNotYet;  // its receipt
  std::size_t receipts = 0;
  std::size_t row = 0;  // its receipt, among those of the actor's client

  bool never_told() const { return (flags & wire::kPublishReceiptNone) != 0; }
  bool told_problems() const { return (flags & wire::kPublishReceiptProblems) != 0; }
};

/// A subscription as its client asked for it. Its id is never used again.
struct Subscribed {
  std::size_t actor = 0;
  std::uint32_t id = 0;
  std::string shown_name{};  // of the group, for a shared one
  std::string group{};
  std::vector<std::string> filters{};
  std::string overflow{};
  std::uint32_t max_messages = 0;
  std::uint64_t max_bytes = 0;
  std::uint64_t max_lag_ns = 0;
  std::uint64_t granted_messages = 0;
  std::uint64_t granted_bytes = 0;
  Stamp said = 0;
  Stamp heard = kNotYet;      // SUBSCRIBED
  Stamp end_said = kNotYet;   // UNSUBSCRIBE, or the client left
  Stamp end_heard = kNotYet;  // the broker has ended it by then
};

/// A client, and what the network does to it.
struct Actor {
  testing::TestClient* client = nullptr;
  std::string name{};
  std::vector<std::size_t> subscriptions{};          // places in History::subscriptions
  std::map<std::uint64_t, std::size_t> publishes{};  // places in History::publishes, by number
  bool left = false;                                 // of its own accord
  Stamp gone = kNotYet;
  std::size_t receipts_read = 0;
  std::size_t cancels = 0;
  base::MonotonicTime silent_until{};
  bool slow = false;  // its socket takes only so much

  bool acts() const { return !left && gone == kNotYet; }
};

struct History {
  std::vector<Actor> actors{};
  std::vector<Published> publishes{};
  std::vector<std::size_t> publish_of{0};  // by message, which count from 1
  std::vector<Subscribed> subscriptions{};
  bool drained = false;
};

/// The number that a message was given.
std::uint64_t message_number(const std::string& payload);

/// Whether a filter matches a topic, written without the broker's index.
bool matches(const std::string& filter, const std::string& topic);
bool matches(const std::vector<std::string>& filters, const std::string& topic);

}  // namespace sluice::sim
