// connection.h: what does a shard keep for one socket?
//
// Owner:    the shard's Connections table; borrows the Link.
// Thread:   the owner shard only.
// Limits:   Options: topics open, subscriptions; a publisher's window bounds what is parked.
// Tests:    tests/unit/broker/shard/connection_test.cc

#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/flow/limit_gate.h"
#include "broker/metrics/shard_metrics.h"
#include "broker/model/command.h"
#include "broker/model/limited_by.h"
#include "broker/model/topic_ref.h"
#include "broker/port/link.h"
#include "broker/queue/bounded_queue.h"
#include "broker/session/producer_state.h"
#include "broker/shard/announced_topics.h"
#include "broker/shard/letters.h"
#include "broker/shard/limit_holders.h"
#include "broker/shard/limited_by_clock.h"
#include "libs/wire/frame_reader.h"

namespace sluice::shard {

/// Stands for the sequence of a batch that no idempotent producer sent.
inline constexpr std::uint64_t kNoProducer = UINT64_MAX;

/// A publish that has passed its checks and waits or is on its way.
struct Publish {
  std::uint64_t number = 0;
  model::ReceiptMode receipt_mode = model::ReceiptMode::kAlways;
  bool need_responders = false;
  bool need_all = false;
  std::vector<std::string> need_names;
  base::MonotonicTime deadline = base::kNever;
  base::MonotonicTime received_at;
  model::Slice slice;                                    // the whole batch, and the topic
  std::uint64_t producer_sequence = kNoProducer;         // of its first message
  base::MonotonicTime due = base::MonotonicTime::min();  // when its limits let it go on
  std::uint32_t delayed_by = 0;                          // number of the limit that says so
  std::unique_ptr<flow::Charged> charged;                // if it has to wait

  bool needs_all_or_none() const noexcept { return need_all || !need_names.empty(); }
};

/// What a publisher may still send to one topic (or by name), and what waits its turn there.
struct Window {
  std::uint64_t left = 0;        // bytes of batches the client may still send
  std::uint64_t to_return = 0;   // bytes resolved and not granted again yet
  bool settling = false;         // a publish of it waits for other shards to agree
  bool granting = false;         // stands in Connection::granting
  std::uint32_t blocked = 0;     // publishes of it that wait behind a `block` step
  std::uint32_t delayed_by = 0;  // number of the limit that holds it back; 0: none
  base::MonotonicTime due;       // delayed: when it goes on
  std::list<Publish> parked;     // behind the settling one, or delayed, in order

  // Of LimitedByStates.
  model::LimitedBy limited_by = model::LimitedBy::kIdle;
  bool listed = false;          // among its active windows
  base::MonotonicTime used_at;  // when something was last published to it
  std::unique_ptr<LimitedByClock> clock;
};

struct OpenTopic {
  model::TopicRef topic;
  Window window;
};

/// Where a subscription of this connection has its queue.
struct Consumer {
  GroupRef queue;  // in the table of `home`
  model::ShardId home;
  bool shared = false;
  bool joined = true;             // false until the home of a shared one has answered
  std::uint64_t join = 0;         // of a shared one: MemberKey::join
  std::uint64_t correlation = 0;  // of SUBSCRIBE, until it is answered
  queue::Credit granted;          // of a shared one: less what has been dealt to it
  queue::Credit unsaid;           // of it: granted, and its home has not been told
  DealtSum taken;                 // of it: by the socket, and its home has not been told
  bool has_news = false;          // stands in Groups' list for this turn
  std::uint32_t paced_by = 0;     // of it: the limit that its home was told to hold it back
};

/// Something a shared subscription has dealt to this connection.
struct Dealt {
  model::SubscriptionId subscription;
  std::uint64_t join = 0;  // of its consumer
  GroupRef group;
  model::ShardId home;
  queue::Item item;
  std::uint32_t overhead = queue::kSliceOverhead;  // 0 for what was cut from the front
};

/// An UNSUBSCRIBE that came before its SUBSCRIBE could be answered.
struct EarlyEnd {
  std::uint32_t subscription = 0;
  std::uint64_t correlation = 0;
};

/// A REQUEST without an answer. One that was cancelled counts until it would have had its own.
struct OpenRequest {
  std::uint64_t correlation = 0;
  bool cancelled = false;
};

/// What a subscription has handed to the connection and the socket has not taken yet.
struct InFlight {
  GroupRef queue;
  DealtSum sum;
  model::SubscriptionId subscription;  // of a shared one
  std::uint64_t join = 0;              // of a shared one: its consumer; 0: a plain one
};

enum class ConnectionState : std::uint8_t {
  kHandshake,  // HELLO has not come
  kOpen,
  kClosing,  // nothing is read any more; what is in `control` is sent, then the link is closed
  kClosed,   // the link is closed or gone; destroyed at the end of the turn
};

struct Connection {
  Connection(model::ConnectionId id_, port::Link& link_, wire::SlabCursor& cursor,
             std::string peer_)
      : id(id_), link(&link_), peer(std::move(peer_)), reader(cursor, wire::kMaxHandshakeBody) {}

  /// Whether the next frame, if there is one, may be read now.
  bool may_read() const { return !claiming && !held_back && !early_end; }

  const model::ConnectionId id;
  port::Link* link;
  const std::string peer;
  wire::FrameReader reader;
  ConnectionState state = ConnectionState::kHandshake;
  bool dirty = false;          // stands in Core::dirty
  bool output_paused = false;  // waits for writable()
  bool reading_paused = false;
  metrics::CloseReason close_reason = metrics::CloseReason::kPeer;
  base::MonotonicTime opened_at;
  std::uint64_t extra_bytes = 0;  // what it holds beyond an idle one: see Core::charge

  std::uint64_t session = 0;
  std::uint64_t producer_id = 0;
  std::uint64_t producer_epoch = 0;            // of its client; 0 until it is known
  session::ProducerState* producer = nullptr;  // while it has the lease of producer_id
  bool claiming = false;                       // reads nothing until it has
  bool held_back = false;                      // has unread frames, for want of time in a turn
  std::uint32_t features = 0;                  // of HELLO
  std::uint64_t hello_correlation = 0;
  std::string client;
  std::string user = "anonymous";  // nobody is authenticated yet
  std::uint32_t max_frame = 0;     // largest body that the client takes
  std::vector<OpenRequest> requests_open;

  // Publishing.
  std::uint64_t last_publish = 0;
  std::uint64_t unresolved = 0;      // publishes without an outcome yet
  std::uint32_t cancels_open = 0;    // CANCEL frames without an answer
  std::uint64_t expired_untold = 0;  // copies that expired while it had too much unread
  bool ended = false;                // the peer sends no more: closed once all have theirs
  std::unordered_map<std::uint32_t, OpenTopic> topics;  // by id
  OpenTopic* last_topic = nullptr;                      // of the last publish; stable address
  Window named;
  std::vector<std::uint32_t> granting;  // topic ids with grant to return; 0 for `named`
  wire::Receipt receipts;               // of a range that may still grow
  std::uint64_t receipts_last = 0;
  bool receipts_open = false;
  base::MonotonicTime receipts_since;  // when the first of the range was received

  // Subscribing.
  std::unordered_map<std::uint32_t, Consumer> consumers;  // by SubscriptionId
  std::optional<EarlyEnd> early_end;                      // nothing behind it is read meanwhile
  std::vector<InFlight> in_flight;                        // until the socket has taken all
  std::vector<model::SubscriptionSlot> ready;             // queues with something to send
  std::list<Dealt> dealt;
  AnnouncedTopics announced;

  std::unique_ptr<ConnectionLimits> limits;  // of Limiting; null: none looked for

  std::vector<std::byte> control;  // frames to send before any data
};

}  // namespace sluice::shard
