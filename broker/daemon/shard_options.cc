#include "broker/daemon/shard_options.h"

#include <array>
#include <limits>
#include <unistd.h>

#include "broker/daemon/version.h"
#include "libs/base/assert.h"

namespace sluice::daemon {
namespace {

std::uint32_t share(std::uint64_t of_node, std::uint64_t shards) {
  const std::uint64_t each = (of_node + shards - 1) / shards;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(each, std::numeric_limits<std::uint32_t>::max()));
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "sluice";
  return name.data();
}

}  // namespace

base::Result<queue::Ladder> ladder_of(const config::List& steps) {
  std::string text;
  for (const std::string& step : steps) text += (text.empty() ? "" : ",") + step;
  return queue::parse_ladder(text);
}

shard::Options shard_options(const config::Settings& settings) {
  const std::uint64_t shards = settings.node.shards;
  shard::Options options;
  options.shard_count = static_cast<std::uint16_t>(shards);
  options.node_name = host_name();
  options.broker_version = kVersion;
  options.max_frame = static_cast<std::uint32_t>(settings.connection.max_frame);
  options.max_subscriptions = share(settings.connection.max_subscriptions, 1);
  options.max_topics_open = share(settings.connection.max_topics_open, 1);
  options.max_topics = share(settings.topic.max_topics, 1);
  options.max_producers = share(settings.connection.producers_kept, 1);
  options.max_connections = share(settings.connection.max_connections, shards);
  options.topic_grant = settings.topic.grant;
  options.copies_turn = settings.node.copies_turn;
  options.output_high = settings.connection.output_high;
  options.mailbox_entries = settings.mailbox.entries;
  options.handshake_timeout = settings.connection.handshake_timeout;
  options.keepalive = settings.connection.keepalive;
  options.default_bounds = {static_cast<std::uint32_t>(settings.subscription.queue_messages),
                            settings.subscription.queue_bytes, settings.subscription.max_lag};
  options.largest_bounds = {static_cast<std::uint32_t>(settings.subscription.queue_messages_max),
                            settings.subscription.queue_bytes_max,
                            {}};
  options.spill_bytes = settings.subscription.spill_bytes;
  options.spill_bytes_max = settings.subscription.spill_bytes_max;
  options.credit_messages_max = settings.subscription.credit_messages_max;
  options.credit_bytes_max = settings.subscription.credit_bytes_max;
  options.read_bytes_turn = settings.connection.read_bytes_turn;
  options.ended_max = settings.history.ended;
  options.drops_max = settings.history.drops;
  options.marks_max = settings.history.marks;
  options.slab_bytes = settings.slab.bytes;
  options.slab_idle_max = settings.slab.idle_max;
  const auto ladder = ladder_of(settings.subscription.overflow);
  ASSERT(ladder.has_value());
  options.default_ladder = *ladder;
  return options;
}

}  // namespace sluice::daemon
