// Node's administrative side: HTTP, metrics, and requests over the native protocol.

#include <future>
#include <utility>

#include "broker/admin/process.h"
#include "broker/daemon/node.h"
#include "broker/daemon/version.h"
#include "libs/base/assert.h"

namespace sluice::daemon {

using base::ErrorCode;
using base::fail;
using base::Status;

namespace {

constexpr std::size_t kStatusLimit = 10000;
constexpr base::Duration kStatusTimeout = std::chrono::seconds(2);
constexpr std::string_view kCompiler = "g++ " __VERSION__;

}  // namespace

Status Node::start_http() {
  const auto address = loop::parse_host_port(settings_.listen.http);
  if (!address) return fail(address.error());
  admin::Options options;
  options.host = address->host;
  options.port = address->port;
  admin::Sources sources;
  sources.metrics = [this] { return metrics_snapshot(); };
  sources.readiness = [this] { return readiness(); };
  sources.status_json = [this] { return status_text(); };
  auto server = admin::HttpServer::start(options, std::move(sources), clock_);
  if (!server) return fail(server.error());
  http_ = std::move(*server);
  http_address_ = {address->host, http_->port()};
  return {};
}

metrics::Snapshot Node::metrics_snapshot() const {
  std::vector<const metrics::ShardMetrics*> shards;
  for (const auto& shard : metrics_) shards.push_back(shard.get());
  metrics::NodeMetrics node;
  admin::read_process(node);
  node.uptime = std::chrono::duration<double>(clock_.now() - started_at_).count();
  node.shards = static_cast<double>(shards.size());
  node.memory_budget = static_cast<double>(settings_.node.memory_budget);
  node.memory_pressure = budget_.pressure(budget_.used()) / 255.0;
  node.memory_ceiling =
      static_cast<double>(std::min<std::uint64_t>(budget_.ceiling(), budget_.limit()));
  node.connections_limit = static_cast<double>(settings_.connection.max_connections);
  node.topics_limit = static_cast<double>(settings_.topic.max_topics);
  const std::size_t pairs = shards.size() * (shards.size() - 1);
  node.mailbox_entries_limit = static_cast<double>(settings_.mailbox.entries * pairs);
  node.slab_size = static_cast<double>(settings_.slab.bytes);
  std::vector<metrics::LimitMetrics> limits;
  for (const flow::LimitRow& row : limits_.rows({}, 0, clock_.now())) {
    limits.push_back({row.spec.name, std::string(model::name_of(row.spec.level)),
                      std::string(model::name_of(row.spec.direction)), row.counts.passed_messages,
                      row.counts.passed_bytes, row.counts.delayed_messages,
                      row.counts.refused_messages, row.counts.observed_messages});
  }
  return metrics::collect(shards, node, {options_.broker_version, std::string(kCompiler)}, limits);
}

admin::MemoryStatus Node::memory_status() const {
  admin::MemoryStatus out;
  out.budget_bytes = budget_.limit();
  out.used_bytes = budget_.used();
  out.pressure = budget_.pressure(out.used_bytes);
  if (budget_.ceiling() != flow::kNoCeiling) out.ceiling_bytes = budget_.ceiling();
  for (const auto& shard : metrics_) {
    const metrics::ShardMetrics& m = *shard;
    for (std::size_t part = 0; part < out.parts.size(); ++part) {
      out.parts[part] += static_cast<std::uint64_t>(m.memory_used[part].value());
    }
  }
  return out;
}

admin::Readiness Node::readiness() const {
  const bool serving = serving_.load() && !draining_.load();
  const std::string why = serving ? "" : draining_ ? "draining" : "starting";
  return {serving, {{"publish_memory", serving, why}, {"subscribe", serving, why}}};
}

// Called on a thread of the HTTP endpoint, which may wait; a shard may not.
std::string Node::status_text() {
  auto promise = std::make_shared<std::promise<std::string>>();
  std::future<std::string> answer = promise->get_future();
  gather(kStatusLimit,
         [promise](admin::NodeStatus&& status) { promise->set_value(admin::status_json(status)); });
  if (answer.wait_for(kStatusTimeout) != std::future_status::ready) {
    return "{\"error\":\"a shard did not answer in time\"}";
  }
  return answer.get();
}

// The configuration has been checked, so nothing of it is refused.
void Node::set_configured_limits() {
  flow::LimitRegistry::Terms terms;
  terms.configured = true;
  for (const model::LimitSpec& spec : settings_.limit) {
    const Status set = limits_.set(spec, clock_.now(), terms);
    ASSERT(set.has_value());
  }
  spread_limits();
}

// Each shard takes what is in force when it comes to it, so that none ends with an older table.
void Node::spread_limits() {
  each_shard([this](net::ShardLoop& shard) {
    shard.post([this](shard::Shard& s) { s.set_limits(limits_.table()); });
  });
}

void Node::on_request(const port::AdminReturn& where, std::string verb, std::string body) {
  net::ShardLoop& home = *shards_[where.shard.value()];
  if (verb == "status") {
    gather(kStatusLimit, [&home, where](admin::NodeStatus&& status) {
      std::string json = admin::status_json(std::move(status), where.max_bytes);
      home.post([where, json = std::move(json)](shard::Shard& s) {
        s.reply(where, ErrorCode::kNone, json);
      });
    });
    return;
  }
  if (verb.starts_with(admin::LimitVerbs::kPrefix)) {
    admin::Answer answer = limit_verbs_.run(verb, body, clock_.now(), where.max_bytes);
    home.post([where, answer = std::move(answer)](shard::Shard& s) {
      s.reply(where, answer.error, answer.body);
    });
    return;
  }
  if (inspect(where, verb, body)) return;
  home.post([where](shard::Shard& s) {
    s.reply(where, ErrorCode::kBadArgument,
            "{\"error\":\"unknown "
            "verb\",\"known\":[\"status\",\"audit\",\"drops\",\"explain\",\"rehearse.slow\","
            "\"rehearse.stop\",\"rehearse.list\",\"subscription.pause\",\"subscription.resume\","
            "\"limit.list\",\"limit.set\","
            "\"limit.remove\",\"limit.simulate\"]}");
  });
}

}  // namespace sluice::daemon
