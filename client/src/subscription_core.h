// subscription_core.h: what has arrived for one subscription and was not taken yet?
//
// The I/O thread puts in what the broker sends, the program takes it out; taking gives credit back
// in portions of half the window, so that the bound of what waits here is the credit.
//
// Owner:    shared by the Subscription handles; the I/O thread has a weak reference. The end of the
//           last handle unsubscribes.
// Thread:   take, wait and the getters: any thread. put, end and the rest: the I/O thread.
// Units:    messages, and bytes of records.
// Limits:   credit_messages and credit_bytes of its options, by the broker's obedience.
// Tests:    tests/unit/client/subscription_test.cc

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <sluice/subscription.h>

#include "client/src/hub.h"
#include "libs/async/event.h"
#include "libs/async/task.h"

namespace sluice::detail {

class ClientCore;

struct CreditDue {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

class SubscriptionCore : public std::enable_shared_from_this<SubscriptionCore> {
 public:
  SubscriptionCore(std::shared_ptr<Hub> hub, std::weak_ptr<ClientCore> client, std::uint32_t id,
                   SubscribeOptions options);
  ~SubscriptionCore();

  std::uint32_t id() const noexcept { return id_; }
  const SubscribeOptions& options() const noexcept { return options_; }

  /// kWouldBlock when nothing waits; the reason of the end when it has ended and nothing waits.
  Result<BatchItem> try_take();
  Result<Item> try_take_one();
  static async::Task<Result<BatchItem>> take(std::shared_ptr<SubscriptionCore> self,
                                             async::Context context);
  static async::Task<Result<Item>> take_one(std::shared_ptr<SubscriptionCore> self,
                                            async::Context context);
  static async::Task<Result<SubscriptionAccount>> close(std::shared_ptr<SubscriptionCore> self,
                                                        async::Context context);
  SubscriptionInfo info() const;
  std::size_t waiting() const;
  bool has_ended() const;

  void put(BatchItem item);
  /// Nothing more will come.
  void end(Error reason);
  void set_info(SubscriptionInfo info);
  /// What may be granted now, and is from now on counted as granted.
  CreditDue take_credit_due();
  /// The credit for a new connection: the window less what waits here.
  CreditDue first_credit();
  /// The sequence after the last one put; 0 when none was.
  std::uint64_t next_sequence() const;

 private:
  struct Partial {
    MessageBatch batch;
    MessageBatch::Iterator at;
    std::size_t taken = 0;
  };

  std::optional<BatchItem> pop_front();
  BatchItem rest_of_partial();
  void count_taken(const MessageBatch& batch, std::unique_lock<std::mutex>& lock);
  Error nothing_there() const;

  const std::shared_ptr<Hub> hub_;
  const std::weak_ptr<ClientCore> client_;
  const std::uint32_t id_;
  const SubscribeOptions options_;
  async::Event arrived_;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<BatchItem> items_;
  std::optional<Partial> partial_;  // a batch that next() has begun
  std::size_t waiting_messages_ = 0;
  std::uint64_t waiting_bytes_ = 0;
  CreditDue due_;
  bool credit_queued_ = false;
  std::optional<Error> ended_;
  SubscriptionInfo info_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace sluice::detail
