// explanation.h: what limits whom, and what that does to others, as plain values.
//
// Owner:    values, made on the shard's thread and handed to another.
// Thread:   any once made.
// Units:    in the names.

#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "broker/model/limited_by_times.h"
#include "broker/model/status.h"
#include "libs/base/clock.h"

namespace sluice::model {

enum class ExplainKind : std::uint8_t { kSubscription, kConnection, kTopic };

struct ExplainQuery {
  ExplainKind kind = ExplainKind::kSubscription;
  std::string name;       // a subscription, "SHARD/ID", "ID" or a client's name, a topic
  std::size_t limit = 0;  // of each kind of row and shard
};

struct SubscriptionExplanation {
  SubscriptionStatus status;
  LimitedBy state = LimitedBy::kIdle;
  std::string which;  // limit that holds it back
  LimitedByTimes times;
  std::uint64_t connection = 0;         // of a plain one
  std::uint64_t unsent_bytes = 0;       // of its connection
  std::optional<base::Duration> drain;  // what is queued takes so long, at its rate of late
  // What the broker allows a queue.
  std::uint64_t max_messages_allowed = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t max_bytes_allowed = std::numeric_limits<std::uint64_t>::max();
};

/// A connection's publishing to one topic.
struct PublisherExplanation {
  std::uint16_t shard = 0;
  std::uint64_t connection = 0;
  std::string client;
  std::string peer;
  std::string topic;  // empty: by name
  LimitedBy state = LimitedBy::kIdle;
  std::string which;                    // limit that holds it back
  std::vector<std::string> blocked_by;  // subscriptions it waits for
  std::uint64_t publishes_waiting = 0;  // for them
  LimitedByTimes times;
  std::uint64_t window_bytes = 0;
  std::uint64_t window_used_bytes = 0;  // on their way, and without an outcome
};

struct ConnectionExplanation {
  ConnectionStatus status;
  bool output_paused = false;   // its socket takes no more
  bool reading_paused = false;  // it is not read from, as it does not read
  std::uint64_t publishes_unresolved = 0;
};

struct Explanation {
  std::vector<SubscriptionExplanation> subscriptions;
  std::vector<PublisherExplanation> publishers;
  std::vector<ConnectionExplanation> connections;
  // How many there are, listed or not.
  std::uint64_t subscription_count = 0;
  std::uint64_t publisher_count = 0;
  std::uint64_t connection_count = 0;
};

}  // namespace sluice::model
