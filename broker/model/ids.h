// ids.h: the names by which parts of the broker speak of one another's objects.
//
// Thread:   values; any thread.

#pragma once

#include <cstdint>

#include "libs/base/strong_id.h"

namespace sluice::model {

/// Which shard of this node; also the position of its thread.
using ShardId = base::StrongId<struct ShardTag, std::uint16_t>;
/// One socket; unique in the life of its shard, never given to another.
using ConnectionId = base::StrongId<struct ConnectionTag, std::uint64_t>;
/// What the broker knows of a client; random, unique on the node.
using SessionId = base::StrongId<struct SessionTag, std::uint64_t>;
/// A place in a shard's topic registry; reused, told apart by its generation.
using TopicSlot = base::StrongId<struct TopicTag, std::uint32_t>;
/// A place in a shard's table of subscriptions; reused.
using SubscriptionSlot = base::StrongId<struct SubscriptionSlotTag, std::uint32_t>;
/// What the client calls its subscription.
using SubscriptionId = base::StrongId<struct SubscriptionTag, std::uint32_t>;
/// The number of a message in one subscription, from 1, without holes but those told as gaps.
using Sequence = base::StrongId<struct SequenceTag, std::uint64_t>;
/// A publish whose outcome is still open; unique in the life of its shard. 0 is none.
using PublishToken = base::StrongId<struct PublishTokenTag, std::uint64_t>;

/// Which publish of which connection something came from; default: of none.
struct Origin {
  ConnectionId connection;  // of `shard`
  std::uint64_t publish = 0;
  ShardId shard;
  bool operator==(const Origin&) const = default;
};

inline constexpr std::uint16_t kMaxShards = 64;

/// The number of a new session, never 0: random but for the shard whose connection it is, so that
/// whoever comes back with it later, anywhere on the node, is known where its account is kept.
constexpr std::uint64_t session_on(ShardId shard, std::uint64_t random) {
  return (random & ~std::uint64_t{2 * kMaxShards - 1}) | std::uint64_t{shard.value()} << 1 | 1;
}
/// Of a number that session_on() gave; of any other, some number below kMaxShards.
constexpr ShardId shard_of_session(std::uint64_t session) {
  return ShardId(static_cast<std::uint16_t>((session >> 1) % kMaxShards));
}

}  // namespace sluice::model
