// metrics_sample: an HTTP endpoint with every metric at some value, until standard input ends.

#include <array>
#include <cstdio>

#include "broker/admin/http_server.h"
#include "broker/admin/process.h"

namespace sluice::admin {
namespace {

void fill(metrics::ShardMetrics& shard) {
  shard.connections.set(3);
  shard.published_messages.add(1'000);
  shard.copies_matched.add(10);
  shard.copies_delivered.add(10);
  shard.protocol_errors[base::ErrorCode::kBadFrame].add(2);
  shard.publish_refusals[base::ErrorCode::kQueueFull].add(1);
  for (int i = 0; i < 40; ++i) {
    shard.queue_time.observe(std::chrono::nanoseconds(std::int64_t{1} << i));
  }
  shard.balance_ledger();
}

int run() {
  const base::SystemClock clock;
  std::array<metrics::ShardMetrics, 2> shards;
  for (metrics::ShardMetrics& shard : shards) fill(shard);
  Sources sources;
  sources.metrics = [&shards] {
    const std::array<const metrics::ShardMetrics*, 2> all = {&shards[0], &shards[1]};
    metrics::NodeMetrics node;
    read_process(node);
    return metrics::collect(all, node, {"0.0.0", "sample"});
  };
  sources.readiness = [] { return Readiness{true, {}}; };
  sources.status_json = [] { return std::string("{}"); };
  auto server = HttpServer::start({}, std::move(sources), clock);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().message().c_str());
    return 1;
  }
  std::printf("ready http=127.0.0.1:%u\n", static_cast<unsigned>((*server)->port()));
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  (*server)->stop(std::chrono::seconds(5));
  return 0;
}

}  // namespace
}  // namespace sluice::admin

int main() { return sluice::admin::run(); }
