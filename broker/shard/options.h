// options.h: what a shard was told, as plain numbers.
//
// Filled by the daemon from config::Settings, so that a shard runs without files in tests and in
// the simulator.
//
// Thread:   immutable once the shard runs.
// Units:    in the names; sizes in bytes.

#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "broker/model/ids.h"
#include "broker/queue/bounded_queue.h"
#include "libs/base/clock.h"

namespace sluice::shard {

struct Options {
  std::uint16_t shard_count = 1;
  std::string node_name = "sluice";
  std::string broker_version;

  std::uint32_t max_frame = 1U << 20;
  std::uint32_t max_subscriptions = 100000;  // per connection
  std::uint32_t max_topics_open = 65536;     // per connection
  std::uint32_t max_topics = 1000000;        // per shard
  std::uint32_t max_producers = 100000;      // per shard, of those that nobody holds
  std::uint32_t max_connections = 20000;     // per shard
  std::uint64_t topic_grant = 1U << 20;      // a publisher's window per topic
  std::size_t output_high = 1U << 20;        // unsent bytes at which deliveries pause
  std::size_t read_bytes_turn = 1U << 20;    // read from one connection before others have theirs
  std::uint64_t copies_turn = 1U << 16;      // pushed to queues before others have their turn
  std::size_t mailbox_entries = 4096;        // letters waiting per pair of shards
  base::Duration handshake_timeout = std::chrono::seconds(5);
  base::Duration keepalive = std::chrono::seconds(30);

  queue::Bounds default_bounds{.max_messages = 10000, .max_bytes = 16U << 20, .max_lag = {}};
  queue::Bounds largest_bounds{.max_messages = 10000000, .max_bytes = 1U << 30, .max_lag = {}};
  queue::Ladder default_ladder;
  std::uint64_t spill_bytes = 64U << 20;  // where a ladder spills and does not say
  std::uint64_t spill_bytes_max = 1U << 30;
  // What one consumer may have granted and not received; the last message may overdraw it.
  std::uint64_t credit_messages_max = 10'000'000;
  std::uint64_t credit_bytes_max = 1U << 30;

  // What is remembered for whoever asks later, per shard.
  std::size_t ended_max = 1000;   // accounts of ended subscriptions
  std::size_t drops_max = 4096;   // records of drops
  std::size_t marks_max = 16384;  // earlier states of ledgers

  std::size_t slab_bytes = 256U << 10;
  std::size_t slab_idle_max = 256;

  /// Of a topic just opened. Twice the largest frame at least, so that a batch of any allowed size
  /// fits what is left whenever less than a quarter of the window waits to be granted again.
  std::uint64_t full_window() const {
    return std::max<std::uint64_t>(topic_grant, 2 * std::uint64_t{max_frame});
  }
};

}  // namespace sluice::shard
