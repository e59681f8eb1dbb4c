// core.h: what all parts of one shard share.
//
// The parts (Publishing, Subscriptions, Groups, Output) are separate classes over this one set of
// objects; each object is changed by the part that its comment names.
//
// Owner:    Shard. Borrows options, metrics, mail's office and the ports.
// Thread:   the owner shard only.

#pragma once

#include <algorithm>
#include <bit>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "broker/flow/memory_budget.h"
#include "broker/metrics/shard_metrics.h"
#include "broker/port/admin_sink.h"
#include "broker/port/event_sink.h"
#include "broker/port/spill_store.h"
#include "broker/shard/connection.h"
#include "broker/shard/drop_log.h"
#include "broker/shard/ended_subscriptions.h"
#include "broker/shard/expiry_notices.h"
#include "broker/shard/ledger_marks.h"
#include "broker/shard/limited_by_states.h"
#include "broker/shard/mailbox.h"
#include "broker/shard/options.h"
#include "broker/topic/subscription_index.h"
#include "broker/topic/topic_registry.h"
#include "libs/base/random.h"
#include "libs/wire/codec.h"

namespace sluice::shard {

/// A topic's id on the wire; 0 stands for publishes that name their topic.
inline std::uint32_t wire_topic(const model::TopicRef& topic) { return topic.slot().value() + 1; }

/// The outer world of a shard; all of it outlives the shard.
struct Ports {
  metrics::ShardMetrics& metrics;
  base::SlabPool& pool;  // its own; outlives every shard and the post office, which hold its slabs
  PostOffice& office;
  port::EventSink& events;
  port::AdminSink& admin;
  port::SpillStore& spill;               // this shard's own
  flow::MemoryBudget* budget = nullptr;  // null: memory is not bounded
};

/// Visits each of the shards that `shards` has a bit for.
template <typename Visit>
void each_shard(std::uint64_t shards, Visit visit) {
  while (shards != 0) {
    visit(model::ShardId(static_cast<std::uint16_t>(std::countr_zero(shards))));
    shards &= shards - 1;
  }
}

class Limiting;

struct Core {
  Core(model::ShardId id_, const Options& options_, const Ports& ports, std::uint64_t seed)
      : id(id_),
        options(options_),
        metrics(ports.metrics),
        events(ports.events),
        spill(ports.spill),
        pool(ports.pool),
        cursor(pool, options_.slab_bytes / 4),
        index(seed),
        topics(index, options_.max_topics, seed),
        mail(ports.office, id_),
        states(ports.metrics, options_, now),
        ended(options_.ended_max),
        memory(ports.budget, id_),
        drops(options_.drops_max),
        marks(options_.marks_max),
        random(seed),
        output_high(options_.output_high) {}

  const model::ShardId id;
  const Options& options;
  metrics::ShardMetrics& metrics;
  port::EventSink& events;
  port::SpillStore& spill;

  base::SlabPool& pool;
  wire::SlabCursor cursor;
  topic::SubscriptionIndex index;  // changed by Subscriptions
  topic::TopicRegistry topics;
  Mail mail;
  base::MonotonicTime now;   // of this turn
  LimitedByStates states;    // of subscriptions and windows
  EndedSubscriptions ended;  // added to by Subscriptions
  flow::ShardMemory memory;  // changed by MemoryKeeper
  DropLog drops;             // added to by LedgerScope
  LedgerMarks marks;         // added to by Subscriptions
  base::Random random;
  /// Bytes that a connection may have unsent: its option, or less where there are so many that all
  /// together would have more than their share of the budget. Changed by MemoryKeeper.
  std::size_t output_high;

  base::WallTime wall_now;
  bool draining = false;
  std::uint64_t copies_pushed = 0;  // in this turn: of a batch to one queue each

  /// Whether this turn may take in more of what has to be pushed to queues.
  bool has_time() const { return copies_pushed < options.copies_turn; }
  Limiting* limiting = nullptr;  // set by it; null: no limit is set

  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections;  // by ConnectionId
  ExpiryNotices expired;                    // changed by whoever changes a queue
  std::vector<model::ConnectionId> unread;  // may have frames to be read without new bytes
  std::vector<Connection*> dirty;           // have something to send
  std::vector<Connection*> dead;            // to be destroyed at the end of the turn

  /// A time on the wire by this shard's monotonic clock, as the two stand now.
  base::MonotonicTime to_monotonic(std::uint64_t wall_ns) const {
    const std::uint64_t wall = base::to_wire(wall_now);
    const auto most = static_cast<std::uint64_t>((base::kNever - now).count());
    if (wall_ns >= wall) {
      return now + base::Duration(static_cast<std::int64_t>(std::min(wall_ns - wall, most)));
    }
    constexpr std::uint64_t kLongAgo = 1ULL << 60;
    return now - base::Duration(static_cast<std::int64_t>(std::min(wall - wall_ns, kLongAgo)));
  }

  Connection* find(model::ConnectionId connection_id) {
    const auto it = connections.find(connection_id.value());
    if (it == connections.end() || it->second->state >= ConnectionState::kClosing) return nullptr;
    return it->second.get();
  }

  /// Counts memory that a connection keeps until it ends.
  void charge(Connection& connection, std::uint64_t bytes) {
    connection.extra_bytes += bytes;
    connection_bytes += bytes;
  }
  std::uint64_t connection_bytes = 0;  // sum of extra_bytes

  /// Says that there is no memory for `what`.
  tl::unexpected<base::Error> memory_full(std::string_view what) const;

  /// Ends a connection: subscriptions at once, the socket after what is in `control` was sent.
  /// Tells `events` why (null: the client left). Set by Shard.
  std::function<void(Connection&, metrics::CloseReason, const base::Error*)> close;

  /// The connection has something to send at the end of this turn.
  void touch(Connection& connection) {
    if (connection.dirty || connection.state == ConnectionState::kClosed) return;
    connection.dirty = true;
    dirty.push_back(&connection);
  }

  /// Queues a control frame.
  template <typename Frame>
  void send(Connection& connection, const Frame& frame, std::uint64_t correlation,
            std::uint8_t flags = 0) {
    wire::encode(connection.control, frame, correlation, flags);
    metrics.sent_frames.add();
    touch(connection);
  }

  std::uint16_t shard_count() const { return options.shard_count; }
  template <typename Visit>
  void each_other_shard(Visit visit) {
    for (std::uint16_t i = 0; i < shard_count(); ++i) {
      if (i != id.value()) visit(model::ShardId(i));
    }
  }
};

}  // namespace sluice::shard
