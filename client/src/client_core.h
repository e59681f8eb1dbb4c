// client_core.h: the client behind its handles: the I/O thread, and the way to it.
//
// Owner:    shared by Client and, while they run, its coroutines. stop() ends the I/O thread; what
//           is left of the core after that only refuses.
// Thread:   any thread; stop() on any but the I/O thread.
// Errors:   kClosed once the I/O thread has ended.
// Tests:    tests/unit/client/client_test.cc

#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <sluice/client.h>
#include <string>
#include <thread>
#include <vector>

#include "client/src/engine.h"
#include "client/src/hub.h"
#include "client/src/inbox.h"
#include "client/src/lane.h"
#include "client/src/loop_executor.h"
#include "client/src/slot.h"

namespace sluice::detail {

class ClientCore : public std::enable_shared_from_this<ClientCore> {
 public:
  /// Errors: kBadArgument (the server's address, or an option out of its bounds).
  static Result<std::shared_ptr<ClientCore>> make(ClientOptions options);
  ~ClientCore();

  /// Starts the I/O thread; `connected` is set by the first connection or its failure.
  void start(std::shared_ptr<Slot<ServerInfo>> connected);
  /// Closes and waits for the I/O thread.
  void stop();

  /// Runs `work` on the I/O thread; kClosed, and not run, when it has ended.
  Status post(std::function<void(Engine&)> work);
  LoopExecutor& executor() noexcept { return *executor_; }

  /// Numbered, where this client is a producer.
  std::shared_ptr<Lane> make_lane(std::string topic, PublisherOptions options);
  bool is_producer() const noexcept { return options_.producer_id != 0; }
  /// For publishes that name their topic.
  const std::shared_ptr<Lane>& named_lane() const noexcept { return named_lane_; }
  const std::shared_ptr<Lane>& request_lane() const noexcept { return request_lane_; }
  /// A lane for one publish that needs this; the common one when it needs nothing.
  std::shared_ptr<Lane> lane_for(Need need);
  Inbox& inbox() noexcept { return inbox_; }
  std::vector<std::shared_ptr<Lane>> lanes() const;
  PublishTotals totals() const;

  const std::shared_ptr<Hub>& hub() const noexcept { return hub_; }
  std::uint32_t next_subscription_id() noexcept { return next_subscription_id_.fetch_add(1); }
  ConnectionState state() const;
  ServerInfo server() const;

 private:
  ClientCore(ClientOptions options, loop::HostPort server);
  std::shared_ptr<Lane> add_lane(std::shared_ptr<Lane> lane);
  void on_state(const ConnectionEvent& event);
  void on_server(const ServerInfo& info);

  const ClientOptions options_;
  const loop::HostPort server_;
  const std::shared_ptr<Hub> hub_;
  Inbox inbox_;
  std::shared_ptr<Lane> named_lane_;
  std::shared_ptr<Lane> request_lane_;
  std::atomic<std::uint32_t> next_subscription_id_{2};
  std::thread io_thread_;
  LoopExecutor* executor_ = nullptr;  // lives on the I/O thread's stack, until stop()

  mutable std::mutex mutex_;  // guards what follows
  Engine* engine_ = nullptr;  // null once stopping
  std::function<void()> stop_loop_;
  std::shared_ptr<Slot<ServerInfo>> connected_;
  ConnectionState state_ = ConnectionState::kConnecting;
  ServerInfo server_info_;
  std::vector<std::weak_ptr<Lane>> lanes_;
  std::size_t sweep_lanes_at_ = 64;
};

}  // namespace sluice::detail
