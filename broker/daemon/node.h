// node.h: how is a running broker put together, and taken apart?
//
// The one place that names the concrete classes of every layer.
//
// Owner:    main(). Borrows settings, clock and logger.
// Thread:   main thread; shards and the HTTP endpoint have their own.
// Errors:   start(): kAddressInUse, kBadArgument, kIo, naming the address.
// Order:    start(), run(); run() returns when the node has drained.
// Tests:    tests/integration

#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "broker/admin/http_server.h"
#include "broker/admin/limit_verbs.h"
#include "broker/admin/status_json.h"
#include "broker/config/settings.h"
#include "broker/daemon/drain.h"
#include "broker/daemon/event_log.h"
#include "broker/net/acceptor.h"
#include "broker/net/shard_loop.h"
#include "libs/loop/signals.h"

namespace sluice::daemon {

class Node final : private port::AdminSink {
 public:
  Node(const config::Settings& settings, const base::Clock& clock, log::Logger& logger);
  ~Node();

  base::Status start();
  /// "native=HOST:PORT http=HOST:PORT", with the ports that were chosen.
  std::string addresses() const;
  /// Serves until a signal, then drains. Where the result has stuck shards, their threads still
  /// run: the process can only be ended as a whole.
  DrainResult run();

  /// Asks every shard and calls `done` with the answers, on the main thread.
  void gather(std::size_t limit, std::function<void(admin::NodeStatus&&)> done);

 private:
  void on_request(const port::AdminReturn& where, std::string verb, std::string body) override;
  /// Runs `job` on the main thread, once that serves.
  void on_main(std::function<void()> job);
  void run_main_jobs();
  /// Answers verbs of node_inspect.cc; false when it is none of them.
  bool inspect(const port::AdminReturn& where, std::string_view verb, std::string_view body);
  void audit(const port::AdminReturn& where, std::string_view body);
  void drops(const port::AdminReturn& where, std::string_view body);
  void explain(const port::AdminReturn& where, std::string_view body);
  void control(const port::AdminReturn& where, std::string_view verb, std::string_view body);
  void answer(const port::AdminReturn& where, base::ErrorCode error, std::string body);
  void refuse(const port::AdminReturn& where, const base::Error& error);
  template <typename Answer>
  void ask_shards(std::function<bool(shard::Shard&, shard::Inspection::Cursor&, Answer&)> step,
                  std::function<void(std::vector<Answer>&&)> done);
  base::Status start_http();
  void set_configured_limits();
  void spread_limits();
  metrics::Snapshot metrics_snapshot() const;
  admin::MemoryStatus memory_status() const;
  admin::Readiness readiness() const;
  std::string status_text();
  void on_signal(int number);
  void on_drain_time();
  void ask_what_is_left();
  void each_shard(const std::function<void(net::ShardLoop&)>& visit);

  const config::Settings& settings_;
  const base::Clock& clock_;
  log::Logger& logger_;
  EventLog events_;
  const base::MonotonicTime started_at_;
  shard::Options options_;
  std::vector<std::unique_ptr<metrics::ShardMetrics>> metrics_;
  flow::MemoryBudget budget_;
  std::vector<std::unique_ptr<base::SlabPool>> pools_;  // before all that may hold their slabs
  std::vector<std::unique_ptr<port::SpillStore>> spills_;
  std::unique_ptr<shard::PostOffice> office_;
  loop::Loop loop_;
  std::vector<std::unique_ptr<net::ShardLoop>> shards_;
  flow::LimitRegistry limits_;
  admin::LimitVerbs limit_verbs_;
  std::unique_ptr<net::Acceptor> acceptor_;
  std::unique_ptr<loop::Signals> signals_;
  loop::Timer log_timer_;
  std::unique_ptr<Drain> drain_;  // from the first signal on
  std::unique_ptr<loop::Timer> drain_timer_;
  std::mutex main_mutex_;  // guards main_jobs_
  std::vector<std::function<void()>> main_jobs_;
  loop::Wakeup main_ready_;
  std::unique_ptr<admin::HttpServer> http_;
  loop::HostPort http_address_;
  std::atomic<bool> serving_{false};
  std::atomic<bool> draining_{false};
};

}  // namespace sluice::daemon
