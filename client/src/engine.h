// engine.h: what the client does on its I/O thread.
//
// Keeps one connection, makes it again when it is lost, hands frames to those they are for, and at
// the end of each turn of the loop sends what the program has queued.
//
// Owner:    the I/O thread of the client's core.
// Thread:   the I/O thread.
// Order:    start(); on_turn_end() after each turn; close() before it is destroyed.
// Tests:    tests/unit/client/client_test.cc

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <sluice/client.h>
#include <string>

#include "client/src/connection.h"
#include "client/src/hub.h"
#include "client/src/inbox.h"
#include "client/src/publish_pump.h"
#include "client/src/request_table.h"
#include "client/src/slot.h"
#include "client/src/subscription_table.h"
#include "libs/base/random.h"
#include "libs/loop/loop.h"
#include "libs/loop/timer.h"
#include "libs/loop/wakeup.h"

namespace sluice::detail {

class Engine {
 public:
  struct Observer {
    std::function<void(const ConnectionEvent&)> on_state;
    std::function<void(const ServerInfo&)> on_server;
  };

  Engine(loop::Loop& loop, std::shared_ptr<Hub> hub, Inbox& inbox, const ClientOptions& options,
         loop::HostPort server, Observer observer);
  /// Requires: close().
  ~Engine();

  /// Makes the first connection; if that fails, the client is closed.
  void start();
  void on_turn_end();
  /// For good. Everything that waits fails with `reason`.
  void close(const Error& reason);
  /// After all frames queued so far, ends this side; `done` when the broker has closed its own.
  void finish(std::function<void()> done);

  void subscribe(const std::shared_ptr<SubscriptionCore>& core, SubscriptionTable::InfoSlot slot);
  void unsubscribe(std::uint32_t id, SubscriptionTable::AccountDone done);
  /// Ends every subscription; `done` when the broker has answered for all.
  void unsubscribe_all(std::function<void()> done);
  /// Gives the prefix of reply topics once the inbox is in force.
  void open_inbox(const std::shared_ptr<Slot<std::string>>& slot);
  void admin(const std::string& verb, const std::string& body,
             const std::shared_ptr<Slot<std::string>>& slot);
  void ping(const std::shared_ptr<Slot<Duration>>& slot);

 private:
  static constexpr std::uint32_t kInboxId = 1;  // the program's subscriptions start at 2

  enum class Phase : std::uint8_t { kFirst, kRunning, kFinishing, kClosed };
  enum class InboxState : std::uint8_t { kNone, kOpening, kOpen };

  void connect();
  void on_open(const wire::Welcome& welcome);
  void on_frame(const wire::Frame& frame);
  void on_lost(const Error& reason);
  void schedule_retry(ConnectionEvent event);
  void on_keep_alive();
  void handle_ready();
  void subscribe_inbox();

  Status on_topic(const wire::Frame& frame);
  Status on_receipt(const wire::Frame& frame);
  Status on_cancel(const wire::Frame& frame);
  Status on_grant(const wire::Frame& frame);
  Status on_ping(const wire::Frame& frame);
  Status on_state_frame(const wire::Frame& frame);
  Status on_goaway(const wire::Frame& frame);
  Status on_error(const wire::Frame& frame);
  Status on_answer(const wire::Frame& frame);
  Connection* open_connection() noexcept;

  loop::Loop& loop_;
  const std::shared_ptr<Hub> hub_;
  Inbox& inbox_;
  const ClientOptions& options_;
  const loop::HostPort server_;
  Observer observer_;
  base::Random random_;
  std::shared_ptr<ReceiveMemory> memory_;
  wire::SlabCursor cursor_;
  loop::Wakeup wakeup_;
  loop::Timer retry_timer_;
  loop::Timer keep_alive_timer_;

  Phase phase_ = Phase::kFirst;
  std::uint32_t attempt_ = 0;           // failed attempts in a row
  std::optional<Error> closing_error_;  // what the broker said before it closed
  bool is_going_away_ = false;
  bool is_probing_ = false;  // a ping of the keep-alive is out
  std::uint64_t session_id_ = 0;
  InboxState inbox_state_ = InboxState::kNone;
  bool inbox_wanted_ = false;
  std::vector<std::shared_ptr<Slot<std::string>>> inbox_waiters_;
  std::function<void()> finished_;
  RequestTable requests_;
  PublishPump pump_;
  SubscriptionTable subscriptions_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Connection> lost_connection_;  // destroyed outside its callbacks
};

}  // namespace sluice::detail
