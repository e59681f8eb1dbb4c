// publisher.h: how do messages get to a topic, and what became of them?
//
// A publish is copied into an open batch and leaves at once when the connection is idle; while it
// is busy, or the broker grants no more for this topic, messages gather in the batch. There is no
// linger time. What has been accepted here but not sent is bounded by ClientOptions
// max_pending_bytes: then try_publish refuses and publish waits. A connection that is lost takes
// with it the outcome of what had been sent without a receipt (kConnectionLost, "outcome unknown");
// what had not been sent yet is sent after reconnecting. An idempotent producer
// (ClientOptions::producer_id) sends again, with the same numbers, what it has no receipt for, and
// nothing is lost or published twice; until its receipt comes a publish then counts as pending.
//
// Owner:    the program; the client may be destroyed first, then everything fails with kClosed.
// Thread:   any thread; messages of one thread keep their order.
// Units:    bytes.
// Limits:   max_pending_bytes per client; one message within ClientOptions::max_frame_bytes.
// Errors:   kWouldBlock, kBadTopic, kReservedTopic, kMessageTooLarge, kClosed, kDraining,
//           kConnectionLost, kTakenOver, those of the context.
// Tests:    tests/unit/client/client_test.cc

#pragma once

#include <functional>
#include <memory>
#include <sluice/async/context.h>
#include <sluice/async/task.h>
#include <sluice/message.h>

namespace sluice {

/// One message to be sent. Everything it points to is copied before the call returns (a coroutine:
/// before it first waits; its arguments must live until it has been awaited).
struct Outgoing {
  ByteView payload;
  ByteView key = {};
  std::vector<std::pair<std::string_view, std::string_view>> headers = {};
  /// After this it is worth nothing: nobody gets it. A context's deadline counts as well, the
  /// earlier of the two.
  std::optional<WallTime> deadline = {};
};

/// What a publish insists on; otherwise it is rejected as a whole, with kNeedNotMet or
/// kDurabilityUnavailable in its receipt.
struct Need {
  Durability durability = Durability::kNone;
  bool accept_all = false;              ///< every matched subscription takes it, or none does
  std::vector<std::string> names = {};  ///< subscriptions that must take it; at most 16
  bool responders = false;              ///< somebody must be subscribed: else kNoResponders
};

enum class Receipts : std::uint8_t {
  kAll,       ///< of every publish; flush() and publish_and_wait() need them
  kProblems,  ///< only where something went wrong
  kNone,
};

struct PublisherOptions {
  Receipts receipts = Receipts::kAll;
  Need need = {};
  /// Each receipt as it arrives, on the client's I/O thread: must be quick and must not block.
  /// Called before flush() returns for what it covers.
  std::function<void(const Receipt&)> on_receipt = {};
  /// So many copies that a receipt had told as accepted passed their deadline in a queue. As above.
  std::function<void(std::uint64_t copies)> on_expired = {};
};

/// Sums over everything published so far.
struct PublishTotals {
  std::uint64_t messages = 0;  ///< taken over by publish calls
  std::uint64_t bytes = 0;     ///< of their payloads
  std::uint64_t answered = 0;  ///< messages with a receipt
  std::uint64_t ok = 0;        ///< answered by a receipt that is ok()
  std::uint64_t unknown = 0;   ///< lost with a connection before their receipt
  // From the receipts, in copies:
  std::uint64_t matched = 0;
  std::uint64_t accepted = 0;
  std::uint64_t spilled = 0;
  std::uint64_t dropped = 0;
  std::uint64_t rejected = 0;
  /// Messages by the status of their receipts, indexed by ReceiptStatus.
  std::uint64_t by_status[6] = {};
  // After their receipts, in copies:
  std::uint64_t expired_later = 0;  ///< accepted, and then past their deadline in a queue
  std::uint64_t withdrawn = 0;      ///< taken back by cancelling
  double pressure = 0;              ///< of the latest receipt
};

/// What cancelling took back.
struct Withdrawal {
  bool was_sent = false;     ///< otherwise it never left this client
  std::uint64_t copies = 0;  ///< that subscriptions will not get
};

namespace detail {
class Lane;
struct PublishTicket;
template <typename T>
class Slot;
}  // namespace detail

/// A publish that is on its way and may be withdrawn. A handle: copies are the same publish.
class Publication {
 public:
  /// What became of it; asked once.
  async::Task<Result<Receipt>> receipt(async::Context context);
  /// Takes back the copies that nobody has got yet, also after the receipt. Errors:
  /// kConnectionLost when its connection is gone, with which the broker forgets whose it was.
  async::Task<Result<Withdrawal>> cancel(async::Context context);

  Publication(std::shared_ptr<detail::Lane> lane, std::shared_ptr<detail::PublishTicket> ticket,
              std::shared_ptr<detail::Slot<Receipt>> receipt);

 private:
  std::shared_ptr<detail::Lane> lane_;
  std::shared_ptr<detail::PublishTicket> ticket_;
  std::shared_ptr<detail::Slot<Receipt>> receipt_;
};

/// Publishes to one topic. A handle: copies are the same publisher.
class Publisher {
 public:
  /// Takes the message or refuses at once (kWouldBlock: pending bytes are at their bound).
  Status try_publish(ByteView payload);
  Status try_publish(const Outgoing& message);

  /// The same, waiting for room if there is none.
  async::Task<Status> publish(async::Context context, Outgoing message);
  /// Publishes and waits for the receipt. A receipt that is not ok() is a value, not an error. When
  /// the context is cancelled meanwhile, the publish is withdrawn, and the error says how much of
  /// it was; that takes half a second at most.
  async::Task<Result<Receipt>> publish_and_wait(async::Context context, Outgoing message);
  /// Publishes what may be withdrawn; it travels in a batch of its own.
  async::Task<Result<Publication>> begin(async::Context context, Outgoing message);
  /// Waits until everything published before has its receipt (or has been sent, where there are
  /// none). Errors: kConnectionLost when the outcome of some is unknown.
  async::Task<Status> flush(async::Context context);

  std::string_view topic() const noexcept;
  PublishTotals totals() const;

  explicit Publisher(std::shared_ptr<detail::Lane> lane) : lane_(std::move(lane)) {}

 private:
  std::shared_ptr<detail::Lane> lane_;
};

}  // namespace sluice
