// http_server.h: what does the daemon answer over HTTP?
//
//   GET /metrics      Prometheus text                      /livez   200 while the process answers
//   GET /readyz       JSON, 200 or 503, by capability      /api/status   JSON, by the daemon
//
// It has threads of its own and never touches a shard: everything it tells comes from Sources.
// A peer gets one worker for one request at a time and must finish within a deadline, however
// slowly it sends or reads; what is beyond threads and queue is answered 503 at once.
//
// Owner:    the daemon; stop it before what Sources refer to goes away.
// Thread:   start and stop: one thread. Sources are called on worker threads, several at a time.
// Units:    bytes; durations.
// Limits:   Options; 64 KiB per request with its head, whose lines are at most 8 KiB.
// Errors:   kAddressInUse, kResourceExhausted, kIo, kBadArgument.
// Order:    stop() refuses new connections, lets requests that have begun finish within its time,
//           and returns when all threads have ended.
// Tests:    tests/integration/admin/http_server_test.cc,
//           tests/integration/admin/metrics_prometheus_test.py

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/metrics/snapshot.h"
#include "libs/base/clock.h"
#include "libs/base/result.h"

namespace sluice::admin {

/// Something that clients can ask of the broker, and whether it can be had now.
struct Capability {
  std::string name;  ///< "publish_memory"
  bool ready = false;
  std::string detail;  ///< why not; may be empty
};

struct Readiness {
  bool ready = false;
  std::vector<Capability> capabilities;
};

/// Where answers come from. None may block for long, and none may be null.
struct Sources {
  std::function<metrics::Snapshot()> metrics;
  std::function<Readiness()> readiness;
  std::function<std::string()> status_json;
};

struct Options {
  std::string host = "127.0.0.1";  ///< an IP address without brackets, or localhost
  std::uint16_t port = 0;          ///< 0: any free one, see HttpServer::port()
  std::uint32_t threads = 2;
  std::uint32_t waiting_max = 32;  ///< accepted connections that wait for a thread
  base::Duration request_timeout = std::chrono::seconds(5);  ///< from first byte to last answered
  base::Duration idle_timeout = std::chrono::seconds(5);     ///< between requests
  std::uint32_t requests_max = 100;                          ///< on one connection
};

class HttpServer {
 public:
  /// Listens and serves when it returns. Borrows the clock.
  static base::Result<std::unique_ptr<HttpServer>> start(const Options& options, Sources sources,
                                                         const base::Clock& clock);
  /// Stops at once if stop() was not called.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const noexcept;

  /// Ends it within `grace` and a moment. May be called again.
  void stop(base::Duration grace);

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::admin
