// subscription_table.h: which subscriptions does this client have, and where do deliveries go?
//
// A subscription stands here from subscribe until it ends, whether the connection is up or not;
// each new connection makes it again.
//
// Owner:    the engine, on the I/O thread.
// Thread:   the I/O thread.
// Errors:   on_deliver, on_gap: those of decoding, which end the connection.
// Source:   docs/formats/wire.md, section Subscribing
// Tests:    tests/unit/client/client_test.cc

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "client/src/connection.h"
#include "client/src/hub.h"
#include "client/src/request_table.h"
#include "client/src/slot.h"
#include "client/src/subscription_core.h"

namespace sluice::detail {

class SubscriptionTable {
 public:
  using InfoSlot = std::shared_ptr<Slot<SubscriptionInfo>>;
  using AccountDone = std::function<void(Result<SubscriptionAccount>)>;

  SubscriptionTable(std::shared_ptr<ReceiveMemory> memory, RequestTable& requests,
                    const base::Clock& clock)
      : memory_(std::move(memory)), requests_(requests), clock_(clock) {}

  /// `connection` may be null while there is none.
  void add(const std::shared_ptr<SubscriptionCore>& core, InfoSlot slot, Connection* connection);
  void remove(std::uint32_t id, Connection* connection, AccountDone done);
  /// A subscription of the client's own, whose batches go to `sink` and whose credit comes back at
  /// once. `done` is called when it is in force, or refused.
  void add_internal(std::uint32_t id, std::string filter, Connection& connection,
                    std::function<void(const MessageBatch&)> sink,
                    std::function<void(Status)> done);
  void send_credit(SubscriptionCore& core, Connection& connection);

  void on_open(Connection& connection, std::uint64_t session);
  /// How long it was away, and why, is told to each subscription when it is back.
  void on_lost(const Error& reason);
  void close(const Error& reason);

  void on_topic_name(std::uint32_t id, std::string_view name);
  /// Empty for an id without a name.
  std::string topic_name(std::uint32_t id) const;
  Status on_deliver(const wire::Frame& frame, Connection& connection);
  Status on_gap(const wire::Frame& frame);
  /// The broker ended one subscription; false when it is not known.
  bool on_error(std::uint32_t id, const Error& error);

  std::vector<std::uint32_t> ids() const;

 private:
  struct Internal {
    std::function<void(const MessageBatch&)> sink;
    CreditDue due;
  };
  struct Entry {
    std::weak_ptr<SubscriptionCore> core;
    InfoSlot slot;                      // of a subscribe that is not answered
    std::uint64_t session = 0;          // in which it was in force last; 0: never
    std::optional<Error> lost_because;  // since the connection was lost
    base::MonotonicTime lost_at;
  };

  void subscribe(std::uint32_t id, Connection& connection);
  void on_subscribed(std::uint32_t id, Result<wire::Frame> answer);
  void tell_return(const Entry& entry, SubscriptionCore& core, const wire::Resumed& resumed);
  void in_force(Entry& entry, SubscriptionCore& core, const wire::Subscribed& subscribed);
  void refused(std::uint32_t id, const Error& error);

  static constexpr std::uint64_t kInternalMessages = 16384;
  static constexpr std::uint64_t kInternalBytes = 4U << 20;

  std::shared_ptr<ReceiveMemory> memory_;
  RequestTable& requests_;
  std::unordered_map<std::uint32_t, Entry> entries_;
  std::unordered_map<std::uint32_t, Internal> internal_;  // of this connection
  std::unordered_map<std::uint32_t, std::shared_ptr<const std::string>> topic_names_;
  std::uint64_t session_ = 0;  // of the connection
  const base::Clock& clock_;
};

}  // namespace sluice::detail
