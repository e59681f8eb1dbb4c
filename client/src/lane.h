// lane.h: what waits to be published by one publisher, and what became of what was sent?
//
// Program threads append messages to the open batch; the I/O thread takes whole batches. A lane is
// queued at the hub once while it has something, so that a publish costs a lock and a copy.
//
// Owner:    shared by the Publisher handles and, while there is work, by the I/O thread.
// Thread:   append, flush and totals: any thread. The rest: the I/O thread.
// Limits:   the hub's max_pending_bytes, max_batch_bytes and max_message_bytes.
// Errors:   append: kWouldBlock, kMessageTooLarge, kBadArgument (headers), those of the hub.
// Tests:    tests/unit/client/client_test.cc

#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <sluice/publisher.h>
#include <string>
#include <string_view>
#include <vector>

#include "client/src/hub.h"
#include "client/src/publish_ticket.h"
#include "libs/wire/batch.h"

namespace sluice::detail {

struct TopicState;

/// Called once, on the I/O thread.
using ReceiptWaiter = std::function<void(const Result<Receipt>&)>;

/// Who wants to know of one publish. With a ticket it gets a batch of its own.
struct Interest {
  ReceiptWaiter waiter = {};
  std::shared_ptr<PublishTicket> ticket = {};
};

/// A batch on its way out, and who wants to know what becomes of it.
struct OutBatch {
  std::vector<std::byte> bytes;  // until it is numbered
  std::shared_ptr<const std::vector<std::byte>> numbered;
  std::uint64_t sequence = 0;  // of its first message; 0: not numbered yet, or never
  bool is_again = false;       // it was sent before, on a connection that is lost
  std::string topic;           // of a lane that names its topics
  std::uint32_t messages = 0;
  std::size_t reserved_bytes = 0;  // at the hub
  std::uint64_t deadline_ns = 0;   // after it all of its messages are worthless; 0: not all are
  std::vector<ReceiptWaiter> waiters;
  std::shared_ptr<PublishTicket> ticket;  // of a batch that may be withdrawn

  std::size_t size() const noexcept { return numbered ? numbered->size() : bytes.size(); }
};

/// What is told of a publish that was sent, and nobody can say any more what became of it.
Error outcome_unknown(const Error& reason);

class Lane : public std::enable_shared_from_this<Lane> {
 public:
  enum class Numbered : std::uint8_t { kNo, kYes };

  /// An empty topic: each append names its own. Requires: what is numbered asks for all receipts.
  Lane(std::shared_ptr<Hub> hub, std::string topic, PublisherOptions options, Numbered numbered);
  ~Lane();

  const std::string& topic() const noexcept { return topic_; }
  const PublisherOptions& options() const noexcept { return options_; }
  const std::shared_ptr<Hub>& hub() const noexcept { return hub_; }
  bool is_numbered() const noexcept { return numbered_ == Numbered::kYes; }

  Status append(ByteView payload);
  Status append(std::string_view topic, const Outgoing& message, Interest interest = {});
  PublishTotals totals() const;

  /// Calls `done` on the I/O thread (or at once) when everything appended so far is settled.
  void when_settled(std::function<void(Status)> done);

  /// The size of the batch that take() would return; 0 when there is none, and then the lane leaves
  /// the hub's queue until the next append.
  std::size_t next_batch_bytes();
  /// The next batch if it has at most `limit` bytes, else one without bytes. Requires:
  /// next_batch_bytes() has just returned more than 0.
  OutBatch take_at_most(std::size_t limit);

  /// The number of the batch that take() would return, if that was sent before; else 0.
  std::uint64_t next_again();
  /// The batch goes out before all others here.
  void put_back(OutBatch batch);

  /// The batch of this ticket, if it waits here: it is not sent any more.
  std::optional<OutBatch> take_out(const PublishTicket& ticket);
  /// Copies that the broker took back, or that expired after their receipt.
  void on_withdrawn(std::uint64_t copies);
  void on_expired_later(std::uint64_t copies);

  /// What became of `messages` of this lane; their part of the receipt's copies is counted.
  void on_receipt(const Receipt& receipt, std::uint64_t messages);
  /// Sent, and a receipt comes only if something went wrong, or never.
  void on_sent_unanswered(std::uint64_t messages);
  /// Sent, and the connection was lost before a receipt came.
  void on_outcome_unknown(std::uint64_t messages);
  /// The same of a numbered batch, which is given up; its waiters are told.
  void give_up(const OutBatch& batch, const Error& reason);
  /// Everything that waits fails; counted as rejected, or unknown where it was sent before. Waiters
  /// are told.
  void fail_waiting(const Error& error);

  /// The I/O thread's own: grant and id of the topic.
  std::shared_ptr<TopicState> topic_state;
  /// The I/O thread's own: the lane stands in its list of lanes with work.
  bool is_active = false;
  /// The I/O thread's own: it stands in its list of lanes with something to send again.
  bool sends_again = false;

 private:
  struct Settling {
    std::uint64_t target;  // settled_ to be reached
    std::function<void(Status)> done;
  };

  Status admit(std::size_t payload_bytes, std::size_t record_bytes);
  void finish_append(std::unique_lock<std::mutex>& lock, std::size_t payload_bytes,
                     std::size_t record_bytes);
  void make_room_in_batch(std::size_t record_bytes);
  void seal();
  void settle(std::uint64_t messages, std::unique_lock<std::mutex>& lock);

  const std::shared_ptr<Hub> hub_;
  const std::string topic_;
  const PublisherOptions options_;
  const Numbered numbered_;
  mutable std::mutex mutex_;  // guards what follows
  wire::BatchBuilder builder_;
  OutBatch open_;  // what goes with the builder's messages
  std::uint32_t without_deadline_ = 0;
  std::deque<OutBatch> sealed_;
  bool is_queued_ = false;
  std::uint64_t settled_ = 0;
  std::uint64_t unknown_told_ = 0;  // totals_.unknown when the last flush ended
  std::vector<Settling> settling_;
  PublishTotals totals_;
};

}  // namespace sluice::detail
