// hub.h: where the program's threads and the client's I/O thread meet.
//
// Lanes and subscriptions that have something for the I/O thread are queued here, once each, and
// the thread is woken when the first is. The bound on bytes that wait to be sent is kept here.
//
// Owner:    shared by the client, its publishers and its subscriptions; it outlives the I/O thread,
//           whose wake-up is attached while the thread runs.
// Thread:   any thread.
// Units:    bytes of records.
// Limits:   max_pending_bytes.
// Errors:   admission(): kDraining, kClosed, or what closed the client for good.
// Tests:    tests/unit/client/client_test.cc

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <sluice/publisher.h>
#include <vector>

#include "client/src/publish_ticket.h"
#include "libs/async/event.h"
#include "libs/base/clock.h"

namespace sluice::detail {

class Lane;
class SubscriptionCore;

class Hub {
 public:
  struct Limits {
    std::size_t max_pending_bytes;
    std::size_t max_batch_bytes;
    std::size_t max_message_bytes;
  };

  explicit Hub(const Limits& limits)
      : limits_(limits), max_message_bytes_(limits.max_message_bytes) {}

  const Limits& limits() const noexcept { return limits_; }
  const base::Clock& clock() const noexcept { return clock_; }

  /// Of one record: what this client's options and the broker allow.
  std::size_t max_message_bytes() const noexcept { return max_message_bytes_; }
  /// The broker takes batches of at most `bytes`, header included.
  void limit_batches(std::size_t bytes) noexcept;

  /// False when the bound would be passed; a single message always fits an empty client.
  bool reserve(std::size_t bytes) noexcept;
  void release(std::size_t bytes);
  /// Set when there may be room again; whoever waits resets it first and then tries once more.
  async::Event& room() noexcept { return room_; }

  Status admission() const;
  /// Nothing is taken over any more; the first reason stays, except that closing replaces draining.
  void refuse(Error reason);

  void queue_lane(std::shared_ptr<Lane> lane);
  void queue_credit(std::weak_ptr<SubscriptionCore> subscription);
  /// The last handle of a subscription is gone.
  void queue_dropped(std::uint32_t subscription);
  void queue_withdrawal(WithdrawRequest request);

  struct Ready {
    std::vector<std::shared_ptr<Lane>> lanes;
    std::vector<std::weak_ptr<SubscriptionCore>> credits;
    std::vector<std::uint32_t> dropped;
    std::vector<WithdrawRequest> withdrawals;
  };
  /// What was queued since the last call. I/O thread.
  Ready take_ready();

  /// `wake` is called, on any thread, when something was queued for the first time.
  void attach(std::function<void()> wake);
  /// The I/O thread ends: refuses everything with `reason` from now on, and what is queued later
  /// fails at once. Returns what was queued until now.
  Ready close(Error reason);

  /// Adds the totals of a lane that goes.
  void retire(const PublishTotals& totals);
  PublishTotals retired() const;

 private:
  void wake();

  const Limits limits_;
  const base::SystemClock clock_;
  std::atomic<std::size_t> max_message_bytes_;
  std::atomic<std::size_t> pending_bytes_{0};
  std::atomic<bool> refusing_{false};
  async::Event room_;
  mutable std::mutex mutex_;  // guards what follows
  Error refusal_{ErrorCode::kNone, {}};
  Ready ready_;
  bool woken_ = false;
  bool closed_ = false;
  std::function<void()> wake_;
  PublishTotals retired_;
};

/// Adds each field of `more`; the pressure is the later one.
void add_totals(PublishTotals& sum, const PublishTotals& more);

}  // namespace sluice::detail
