// output.h: what leaves on a connection at the end of a turn?
//
// One gathered write: first the control frames, then what shared subscriptions have dealt, then the
// ready queues in turns of kQuantum bytes. Headers are written into one buffer that all connections
// of the shard take turns with; payload leaves from the slab it arrived in. Batches under
// kCopyBelow are copied beside their header instead, since a buffer of its own costs the kernel
// more than the copy (docs/decisions/0004-gathered-writes.md has the figures).
//
// Owner:    Shard.
// Thread:   the owner shard only.
// Limits:   Options::output_high: a connection with that much unsent gets no more data until the
//           socket has drained; control frames still go.
// Tests:    tests/unit/broker/shard/connection_test.cc

#pragma once

#include <vector>

#include "broker/shard/core.h"
#include "broker/shard/groups.h"
#include "broker/shard/publishing.h"
#include "broker/shard/subscriptions.h"

namespace sluice::shard {

class Output {
 public:
  static constexpr std::size_t kQuantum = 64U << 10;
  static constexpr std::size_t kCopyBelow = 1024;
  static constexpr std::size_t kMaxPieces = 1024;  // of one write: what one system call takes
  static constexpr std::size_t kPauseNoted = 256;  // queues told at once that their peer stalls

  Output(Core& core, Subscriptions& subscriptions, Publishing& publishing, Groups& groups)
      : core_(core), subscriptions_(subscriptions), publishing_(publishing), groups_(groups) {}

  /// Sends what the connection has. True when more is ready that only a budget held back.
  bool flush(Connection& connection);
  /// The socket has taken all: what was in flight is delivered.
  void release(Connection& connection);

 private:
  /// Where a piece lies: in header_bytes_, whose address may still change, or elsewhere.
  struct Piece {
    const std::byte* data = nullptr;  // null: in header_bytes_ at `offset`
    std::size_t offset = 0;
    std::size_t size = 0;
  };

  void note_pause(const Connection& connection);
  void write_dealt(Connection& connection, std::size_t budget);
  bool pace_dealt(Connection& connection);
  bool has_dealt(const Connection& connection) const;
  void write_ready(Connection& connection, std::size_t budget);
  /// True when the queue may have more.
  bool write_quantum(Connection& connection, Subscription& subscription, std::size_t budget);
  void write_item(Connection& connection, model::SubscriptionId id, queue::Item&& item);
  void write_delivery(Connection& connection, model::SubscriptionId id, queue::Delivery&& delivery);
  void hand(const InFlight& handed);
  static DealtSum sum_of(const queue::Item& item, std::uint32_t overhead);
  void hold(Connection& connection);
  void announce(Connection& connection, const model::TopicRef& topic);
  std::byte* header_room(std::size_t bytes);
  void shared_piece(const base::SharedBytes& bytes, std::size_t offset, std::size_t size);
  bool is_full(std::size_t budget) const {
    return bytes_ >= budget || pieces_.size() >= kMaxPieces;
  }
  void send(Connection& connection);

  Core& core_;
  Subscriptions& subscriptions_;
  Publishing& publishing_;
  Groups& groups_;
  std::vector<std::byte> header_bytes_;  // reused for every write; its size only grows
  std::size_t header_used_ = 0;
  std::vector<Piece> pieces_;
  std::vector<base::ByteView> views_;
  std::vector<base::SlabRef> keep_alive_;
  std::vector<InFlight> handed_;  // by this write, by subscription
  std::size_t bytes_ = 0;
};

}  // namespace sluice::shard
