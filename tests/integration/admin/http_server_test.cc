#include "broker/admin/http_server.h"

#include <array>
#include <future>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "tests/integration/admin/http_peer.h"

namespace sluice::admin {
namespace {

using base::ErrorCode;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"; }

/// "HTTP/1.1 200 OK…" -> "200"
std::string status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? answer.substr(9, 3) : "none";
}
std::string body_of(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

class HttpServerTest : public testing::Test {
 protected:
  void start() {
    Sources sources;
    sources.metrics = [this] { return metrics::collect(shards_, {}, {"1.0", "test"}); };
    sources.readiness = [this] { return readiness_; };
    sources.status_json = [this] { return status(); };
    auto started = HttpServer::start(options_, std::move(sources), clock_);
    ASSERT_TRUE(started) << started.error().message();
    server_ = std::move(*started);
  }
  std::string ask(const std::string& request) {
    HttpPeer peer(server_->port());
    peer.send(request);
    return peer.answer();
  }

  base::SystemClock clock_;
  Options options_;
  metrics::ShardMetrics shard_;
  std::array<const metrics::ShardMetrics*, 1> shards_ = {&shard_};
  Readiness readiness_{true, {{"publish_memory", true, ""}}};
  std::function<std::string()> status = [] { return std::string("{\"node\":\"n\"}"); };
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, Metrics_are_prometheus_text) {
  shard_.connections.set(7);
  start();
  const std::string answer = ask(get("/metrics"));
  EXPECT_EQ(status_of(answer), "200");
  EXPECT_NE(answer.find("Content-Type: text/plain; version=0.0.4"), std::string::npos);
  EXPECT_NE(body_of(answer).find("\nsluice_connections 7\n"), std::string::npos);
}

TEST_F(HttpServerTest, Readiness_has_a_status_and_its_reasons) {
  start();
  const std::string answer = ask(get("/readyz"));
  EXPECT_EQ(status_of(answer), "200");
  EXPECT_EQ(nlohmann::json::parse(body_of(answer)),
            nlohmann::json::parse(
                R"({"ready":true,"capabilities":[{"name":"publish_memory","ready":true}]})"));
  readiness_ = {false, {{"publish_memory", false, "drain \"5s\"\xff"}}};
  const std::string not_ready = ask(get("/readyz"));
  EXPECT_EQ(status_of(not_ready), "503");
  const auto body = nlohmann::json::parse(body_of(not_ready));
  EXPECT_FALSE(body["ready"]);
  EXPECT_TRUE(body["capabilities"][0]["detail"].get<std::string>().starts_with("drain \"5s\""));
}

TEST_F(HttpServerTest, Liveness_and_status_answer) {
  start();
  EXPECT_EQ(body_of(ask(get("/livez"))), "alive\n");
  const std::string answer = ask(get("/api/status"));
  EXPECT_NE(answer.find("Content-Type: application/json"), std::string::npos);
  EXPECT_EQ(body_of(answer), "{\"node\":\"n\"}");
}

TEST_F(HttpServerTest, Unknown_paths_and_methods_are_told_apart) {
  start();
  const std::string missing = ask(get("/metric"));
  EXPECT_EQ(status_of(missing), "404");
  EXPECT_EQ(body_of(missing),
            "404: there is nothing at this path\n"
            "paths: /metrics /livez /readyz /api/status\n");
  const std::string posted = ask("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(status_of(posted), "405");
  EXPECT_NE(posted.find("Allow: GET, HEAD"), std::string::npos);
  EXPECT_EQ(status_of(ask("DELETE /nothing HTTP/1.1\r\nHost: x\r\n\r\n")), "404");
}

TEST_F(HttpServerTest, Head_has_no_body) {
  start();
  HttpPeer peer(server_->port());
  peer.send("HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = peer.rest();
  EXPECT_EQ(status_of(answer), "200");
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(HttpServerTest, A_connection_takes_several_requests_up_to_its_bound) {
  options_.requests_max = 3;
  start();
  HttpPeer peer(server_->port());
  peer.send(get("/livez") + get("/livez") + get("/livez") + get("/livez"));
  EXPECT_EQ(status_of(peer.answer()), "200");
  EXPECT_EQ(status_of(peer.answer()), "200");
  const std::string last = peer.answer();
  EXPECT_NE(last.find("Connection: close"), std::string::npos);
  EXPECT_EQ(peer.rest(), "");
}

TEST_F(HttpServerTest, A_body_is_never_taken_for_the_next_request) {
  start();
  HttpPeer peer(server_->port());
  peer.send("GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 37\r\n\r\n" + get("/metrics"));
  EXPECT_EQ(status_of(peer.answer()), "200");
  EXPECT_EQ(peer.rest(), "");
}

TEST_F(HttpServerTest, Nonsense_is_answered_or_closed) {
  start();
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8), std::string("SLCE\0\0\0\0\r\n\r\n", 12),
        std::string("GET\r\n\r\n"), std::string("GET /livez HTTP/9.9\r\n\r\n"),
        "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n",
        "GET /livez HTTP/1.1\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n"}) {
    HttpPeer peer(server_->port());
    peer.send(bytes);
    peer.end();
    const std::string answer = peer.rest();
    EXPECT_TRUE(answer.empty() || status_of(answer)[0] == '4') << answer.substr(0, 200);
  }
  EXPECT_EQ(status_of(ask(get("/livez"))), "200");
}

TEST_F(HttpServerTest, A_request_without_end_is_cut_at_its_byte_bound) {
  options_.request_timeout = seconds(60);
  start();
  HttpPeer peer(server_->port());
  peer.send("GET /livez HTTP/1.1\r\n");
  const std::string header = "X-Header: " + std::string(1000, 'a') + "\r\n";
  std::size_t sent = 0;
  while (sent < 64U << 20 && peer.send(header)) sent += header.size();
  EXPECT_LT(sent, 64U << 20) << "the peer was cut off long before";
}

TEST_F(HttpServerTest, A_slow_peer_gains_nothing_from_single_bytes) {
  options_.request_timeout = milliseconds(200);
  options_.threads = 1;
  start();
  HttpPeer slow(server_->port());
  // A byte every 20 ms would hold a worker for ever if each byte began a new timeout.
  std::thread dripper([&slow] {
    const std::string request = "GET /livez HTTP/1.1\r\nX: " + std::string(1'000, 'a');
    for (const char c : request) {
      if (!slow.send(std::string_view(&c, 1)) || slow.closed_within(20)) return;
    }
    ADD_FAILURE() << "the whole request could be dripped";
  });
  EXPECT_EQ(status_of(ask(get("/livez"))), "200") << "the only worker became free again";
  dripper.join();
}

TEST_F(HttpServerTest, A_peer_that_reads_nothing_gives_its_worker_back) {
  options_.request_timeout = milliseconds(200);
  options_.threads = 1;
  status = [] { return std::string(32U << 20, ' '); };
  start();
  HttpPeer deaf(server_->port());
  deaf.send(get("/api/status"));
  EXPECT_EQ(status_of(ask(get("/livez"))), "200");
}

TEST_F(HttpServerTest, An_idle_connection_gives_its_worker_back) {
  options_.idle_timeout = milliseconds(100);
  options_.threads = 1;
  start();
  HttpPeer idle(server_->port());
  EXPECT_EQ(status_of(ask(get("/livez"))), "200");
  EXPECT_EQ(idle.rest(), "");
}

TEST_F(HttpServerTest, Beyond_threads_and_queue_the_answer_is_503_at_once) {
  options_.threads = 1;
  options_.waiting_max = 1;
  std::promise<void> entered;
  std::promise<void> release;
  auto released = release.get_future().share();
  status = [&] {
    entered.set_value();
    released.wait();
    return std::string("{}");
  };
  start();
  HttpPeer working(server_->port());
  working.send(get("/api/status"));
  entered.get_future().wait();
  HttpPeer waiting(server_->port());
  waiting.send(get("/livez"));
  HttpPeer refused(server_->port());
  const std::string answer = refused.rest();
  EXPECT_EQ(status_of(answer), "503");
  EXPECT_EQ(body_of(answer), "503: too many open requests.\n");
  release.set_value();
  EXPECT_EQ(status_of(working.answer()), "200");
  // The worker stays with the first connection while that is idle; it is closed for the next.
  working.end();
  EXPECT_EQ(status_of(waiting.answer()), "200");
}

TEST_F(HttpServerTest, A_stop_lets_a_request_in_flight_finish_and_refuses_new_ones) {
  std::promise<void> entered;
  std::promise<void> release;
  auto released = release.get_future().share();
  status = [&] {
    entered.set_value();
    released.wait();
    return std::string("{}");
  };
  start();
  const std::uint16_t port = server_->port();
  HttpPeer working(port);
  working.send(get("/api/status"));
  entered.get_future().wait();
  std::thread stopper([this] { server_->stop(seconds(20)); });
  // The listener closes while the request is still being answered.
  while (HttpPeer(port).connected()) std::this_thread::yield();
  release.set_value();
  const std::string answer = working.rest();
  EXPECT_EQ(status_of(answer), "200");
  EXPECT_EQ(body_of(answer), "{}");
  stopper.join();
}

TEST_F(HttpServerTest, A_stop_does_not_wait_for_idle_connections) {
  options_.idle_timeout = seconds(60);
  options_.threads = 1;
  start();
  HttpPeer idle(server_->port());
  idle.send(get("/livez"));
  EXPECT_EQ(status_of(idle.answer()), "200");
  HttpPeer queued(server_->port());
  const auto before = clock_.now();
  server_->stop(seconds(60));
  EXPECT_LT(clock_.now() - before, seconds(30));
  EXPECT_EQ(idle.rest(), "");
}

TEST_F(HttpServerTest, A_stop_ends_within_its_time_whatever_peers_do) {
  options_.request_timeout = seconds(60);
  options_.threads = 1;
  start();
  HttpPeer half(server_->port());
  half.send(get("/livez") + "GET /livez HTTP/1.1\r\n");
  // The second request has begun: it came in the same segment as the first.
  EXPECT_EQ(status_of(half.answer()), "200");
  const auto before = clock_.now();
  server_->stop(milliseconds(100));
  EXPECT_LT(clock_.now() - before, seconds(30));
}

TEST_F(HttpServerTest, A_provider_that_throws_is_a_500) {
  status = []() -> std::string { throw std::runtime_error("secret"); };
  start();
  const std::string answer = ask(get("/api/status"));
  EXPECT_EQ(status_of(answer), "500");
  EXPECT_EQ(answer.find("secret"), std::string::npos);
}

TEST_F(HttpServerTest, Many_clients_at_once_are_served) {
  options_.waiting_max = 1'000;
  start();
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        HttpPeer peer(server_->port());
        peer.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        if (status_of(peer.rest()) == "200") ++good;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 200);
}

TEST_F(HttpServerTest, A_port_in_use_is_told) {
  start();
  Options same = options_;
  same.port = server_->port();
  Sources sources{[] { return metrics::Snapshot{}; }, [] { return Readiness{}; },
                  [] { return std::string{}; }};
  const auto second = HttpServer::start(same, sources, clock_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAddressInUse);
  same.host = "example.org";
  EXPECT_EQ(HttpServer::start(same, sources, clock_).error().code, ErrorCode::kBadArgument);
}

TEST_F(HttpServerTest, Ipv6_works_where_there_is_any) {
  options_.host = "::1";
  auto started = HttpServer::start(options_,
                                   {[] { return metrics::Snapshot{}; }, [] { return Readiness{}; },
                                    [] { return std::string{}; }},
                                   clock_);
  if (!started) GTEST_SKIP() << started.error().message();
  EXPECT_NE((*started)->port(), 0);
}

}  // namespace
}  // namespace sluice::admin
