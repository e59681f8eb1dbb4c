// subscription.h: how do messages of a filter get into the program?
//
//   while (auto item = co_await subscription.next(ctx)) { std::visit(…, *item); }
//
// The broker sends only what the subscription has credit for, and the credit comes back as the
// program takes messages, so that at most `credit_messages` and `credit_bytes` wait here. What
// waits in the broker is bounded by max_messages, max_bytes and max_lag, and `overflow` says what
// happens when that is full; whatever is not delivered is told as a Gap, in its place.
//
// Owner:    the program; the last copy to go unsubscribes. One consumer at a time.
// Thread:   any one thread at a time.
// Units:    bytes are those of records: keys, headers and payloads with their framing.
// Limits:   credit_messages and credit_bytes, as above; one message may exceed what is left.
// Errors:   kClosed after close() or drain and when all is consumed; kConnectionLost when the
// client
//           does not reconnect; kSlowConsumer; kBadFilter, kBadLadder, kGroupMismatch,
//           kSubscriptionLimit from subscribe; those of the context.
// Tests:    tests/unit/client/subscription_test.cc

#pragma once

#include <memory>
#include <optional>
#include <sluice/async/context.h>
#include <sluice/async/task.h>
#include <sluice/message.h>
#include <string>
#include <vector>

namespace sluice {

struct SubscribeOptions {
  std::vector<std::string> filters;  ///< at least one: "orders.eu.*", "orders.>"
  std::string name = {};             ///< shown to operators and in receipts; may be empty
  std::string share = {};            ///< group whose members share the messages; empty for none
  // Bounds of the queue in the broker; 0 for the broker's default.
  std::uint32_t queue_messages = 0;
  std::uint64_t queue_bytes = 0;
  Duration max_lag{0};
  std::string overflow = {};  ///< ladder: "block:50ms,drop_oldest"; empty for the broker's default
  // Bounds of what waits in this client.
  std::uint64_t credit_messages = 65536;
  std::uint64_t credit_bytes = 4U << 20;
};

/// What is in force, as the broker says.
struct SubscriptionInfo {
  std::uint32_t queue_messages = 0;
  std::uint64_t queue_bytes = 0;
  Duration max_lag{0};
  std::string overflow;
  std::uint64_t next_sequence = 0;
};

/// The subscription's account at its end, in messages.
struct SubscriptionAccount {
  std::uint64_t matched = 0;
  std::uint64_t delivered = 0;
  std::uint64_t dropped = 0;    ///< by its ladder, told as gaps
  std::uint64_t discarded = 0;  ///< were still queued
};

namespace detail {
class SubscriptionCore;
}

/// A handle: copies are the same subscription.
class Subscription {
 public:
  /// The next message, gap or reconnection.
  async::Task<Result<Item>> next(async::Context context);
  /// All messages of the next batch at once: the fast way. Mixes with next(), which may have taken
  /// a batch in part: then this gives the rest of it.
  async::Task<Result<BatchItem>> next_batch(async::Context context);
  /// What has arrived already; kWouldBlock when nothing has.
  Result<BatchItem> try_next_batch();
  Result<Item> try_next();

  /// Unsubscribes; what has arrived can still be taken, then calls return kClosed.
  async::Task<Result<SubscriptionAccount>> close(async::Context context);

  SubscriptionInfo info() const;
  /// Messages that have arrived and were not taken.
  std::size_t waiting() const;

  explicit Subscription(std::shared_ptr<detail::SubscriptionCore> core) : core_(std::move(core)) {}

 private:
  std::shared_ptr<detail::SubscriptionCore> core_;
};

}  // namespace sluice
