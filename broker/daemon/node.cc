#include "broker/daemon/node.h"

#include <csignal>
#include <utility>

#include "broker/daemon/shard_options.h"
#include "broker/daemon/version.h"
#include "broker/store/memory/memory_spill_store.h"
#include "libs/base/random.h"

namespace sluice::daemon {

using base::fail;
using base::Status;

namespace {

constexpr base::Duration kDrainPoll = std::chrono::milliseconds(10);
constexpr base::Duration kLogHousekeeping = std::chrono::seconds(1);
// What an HTTP request under way has to finish.
constexpr base::Duration kHttpGrace = std::chrono::seconds(1);

Status at(const Status& status, std::string_view key, std::string_view address) {
  if (status) return {};
  return fail(status.error().code,
              std::string(key) + " " + std::string(address) + ": " + status.error().detail);
}

}  // namespace

Node::Node(const config::Settings& settings, const base::Clock& clock, log::Logger& logger)
    : settings_(settings),
      clock_(clock),
      logger_(logger),
      events_(logger),
      started_at_(clock.now()),
      options_(shard_options(settings)),
      budget_(settings.node.memory_budget, options_.shard_count,
              {settings.topic.memory, settings.user.memory}),
      office_(std::make_unique<shard::PostOffice>(options_.shard_count)),
      limits_(settings.limits.max, settings.limits.buckets_max),
      limit_verbs_(limits_, [this] { spread_limits(); }),
      log_timer_(loop_,
                 [this] {
                   logger_.on_time();
                   if (limits_.expire(clock_.now())) spread_limits();
                 }),
      main_ready_(loop_, [this] { run_main_jobs(); }) {
  for (std::uint16_t i = 0; i < options_.shard_count; ++i) {
    metrics_.push_back(std::make_unique<metrics::ShardMetrics>());
    pools_.push_back(std::make_unique<base::SlabPool>(options_.slab_bytes, options_.slab_idle_max,
                                                      &budget_.account(model::ShardId(i))));
    spills_.push_back(std::make_unique<store::MemorySpillStore>());
    const shard::Ports ports{*metrics_.back(), *pools_.back(), *office_, events_, *this,
                             *spills_.back(),  &budget_};
    shards_.push_back(std::make_unique<net::ShardLoop>(model::ShardId(i), options_, ports, clock_,
                                                       base::system_seed()));
  }
}

Node::~Node() = default;

void Node::each_shard(const std::function<void(net::ShardLoop&)>& visit) {
  for (const auto& shard : shards_) visit(*shard);
}

Status Node::start() {
  std::vector<net::ShardLoop*> shards;
  each_shard([&shards](net::ShardLoop& shard) { shards.push_back(&shard); });
  acceptor_ = std::make_unique<net::Acceptor>(loop_, shards, [this](const base::Error& error) {
    logger_.warn("accepting paused", {{"reason", error.message()}});
  });
  const auto native = loop::parse_host_port(settings_.listen.native);
  if (!native) return at(fail(native.error()), "listen.native", settings_.listen.native);
  const auto backlog = static_cast<int>(settings_.listen.backlog);
  if (Status listening = acceptor_->listen(*native, backlog); !listening) {
    return at(listening, "listen.native", settings_.listen.native);
  }
  if (Status http = start_http(); !http) return at(http, "listen.http", settings_.listen.http);
  set_configured_limits();
  each_shard([](net::ShardLoop& shard) { shard.start(); });
  signals_ = std::make_unique<loop::Signals>(loop_, std::initializer_list<int>{SIGTERM, SIGINT},
                                             [this](int number) { on_signal(number); });
  return {};
}

std::string Node::addresses() const {
  return "native=" + acceptor_->local_address().text() + " http=" + http_address_.text();
}

DrainResult Node::run() {
  serving_ = true;
  log_timer_.start_repeating(kLogHousekeeping);
  loop_.run();
  const DrainResult& result = drain_->result();
  if (!result.stuck.empty()) {
    std::string shards;
    for (const std::size_t shard : result.stuck) {
      shards += (shards.empty() ? "" : ",") + std::to_string(shard);
    }
    logger_.error("drain given up: a shard does not answer",
                  {{"shards", shards},
                   {"messages_left", result.messages_left},
                   {"publishes_left", result.publishes_left}});
    return result;
  }
  http_->stop(kHttpGrace);
  each_shard([](net::ShardLoop& shard) { shard.stop(); });
  return result;
}

// --- Draining ------------------------------------------------------------------------------

void Node::on_signal(int number) {
  if (draining_.exchange(true)) {
    logger_.warn("drain cut short", {{"signal", number}});
    drain_->shorten(clock_.now());
    return;
  }
  const base::Duration deadline = settings_.drain.deadline;
  logger_.info("draining", {{"signal", number}, {"deadline", deadline}});
  acceptor_.reset();
  drain_ = std::make_unique<Drain>(shards_.size(), clock_.now() + deadline);
  each_shard([deadline](net::ShardLoop& shard) {
    shard.post([deadline](shard::Shard& s) { s.start_drain(deadline); });
  });
  drain_timer_ = std::make_unique<loop::Timer>(loop_, [this] { on_drain_time(); });
  drain_timer_->start_repeating(kDrainPoll);
}

void Node::on_drain_time() {
  switch (drain_->on_time(clock_.now())) {
    case Drain::Act::kWait:
      return;
    case Drain::Act::kAsk:
      return ask_what_is_left();
    case Drain::Act::kCut:
      return each_shard(
          [](net::ShardLoop& shard) { shard.post([](shard::Shard& s) { s.close_all(); }); });
    case Drain::Act::kEnd:
      return loop_.stop();
  }
}

void Node::ask_what_is_left() {
  for (const std::size_t asked : drain_->to_ask()) {
    shards_[asked]->post([this, asked](shard::Shard& s) {
      const Drain::Left left{s.is_drained(), s.left_over(), s.publishes_pending(),
                             s.connection_count()};
      on_main([this, asked, left] { drain_->on_answer(asked, left); });
    });
  }
}

}  // namespace sluice::daemon
