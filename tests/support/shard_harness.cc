#include "tests/support/shard_harness.h"

#include <algorithm>

#include "broker/store/memory/memory_spill_store.h"
#include "libs/base/assert.h"

namespace sluice::testing {
namespace {

// So many turns without rest mean that shards keep one another busy for ever.
constexpr std::size_t kTurnsMax = 200000;

}  // namespace

ShardHarness::ShardHarness(HarnessOptions options)
    : options_(std::move(options)), rung_(options_.shards, false) {
  options_.options.shard_count = options_.shards;
  if (options_.options.default_ladder.size == 0) {
    options_.options.default_ladder = *queue::parse_ladder("drop_oldest");
  }
  office_ = std::make_unique<shard::PostOffice>(options_.shards);
  if (options_.memory_budget != 0) {
    budget_ = std::make_unique<flow::MemoryBudget>(options_.memory_budget, options_.shards,
                                                   options_.memory_levels);
  }
  for (std::uint16_t i = 0; i < options_.shards; ++i) {
    metrics_.push_back(std::make_unique<metrics::ShardMetrics>());
    pools_.push_back(std::make_unique<base::SlabPool>(
        options_.options.slab_bytes, 4, budget_ ? &budget_->account(model::ShardId(i)) : nullptr));
    office_->set_wake(model::ShardId(i), [this, i] { ring(i); });
  }
  for (std::uint16_t i = 0; i < options_.shards; ++i) {
    spills_.push_back(options_.make_spill ? options_.make_spill(i, [this, i] { ring(i); })
                                          : std::make_unique<store::MemorySpillStore>());
    const shard::Ports ports{*metrics_[i], *pools_[i],  *office_,     sink_,
                             sink_,        *spills_[i], budget_.get()};
    shards_.push_back(std::make_unique<shard::Shard>(model::ShardId(i), options_.options, ports,
                                                     options_.seed * 100 + i));
  }
}

ShardHarness::~ShardHarness() = default;

void ShardHarness::ring(std::uint16_t shard) {
  rung_[shard] = true;
  ++rings_;
}

TestClient& ShardHarness::connect_silently(std::size_t shard) {
  const model::ShardId id(static_cast<std::uint16_t>(shard));
  return *clients_.emplace_back(std::make_unique<TestClient>(*shards_[shard], id));
}

TestClient& ShardHarness::connect(std::size_t shard, std::string_view name) {
  TestClient& client = connect_silently(shard);
  client.hello(name);
  run();
  ASSERT(client.heard() == "WELCOME\n");
  return client;
}

bool ShardHarness::turn(std::size_t at, std::size_t read_most) {
  return turn(at, {.reads = [read_most](const TestClient&) { return read_most; }});
}

bool ShardHarness::turn(std::size_t at, const TurnOptions& options) {
  shard::Shard& shard = *shards_[at];
  bool busy = rung_[at] && options.mail;
  const std::uint64_t rings = rings_;
  shard.begin_turn(clock_.now(), clock_.wall_now());
  if (options.mail) {
    rung_[at] = false;
    shard.read_mail();
  }
  for (const auto& client : clients_) {
    if (client->shard_id().value() != at) continue;
    if (client->act(options.reads(*client))) busy = true;
  }
  if (shard.next_time() <= clock_.now()) {
    shard.on_time();
    busy = true;
  }
  if (shard.has_unread()) busy = true;
  if (shard.end_turn(clock_.now(), clock_.wall_now())) busy = true;
  if (shard.next_time() <= clock_.now()) busy = true;  // it has made room where something waits
  if (rings_ != rings) busy = true;                    // another shard has something to do
  for (const auto& client : clients_) {
    if (client->shard_id().value() == at) client->listen();
  }
  if (options_.check) {
    shard.check_invariants();
    ASSERT(metrics_[at]->ledger_imbalance.value() == 0);
  }
  return busy;
}

void ShardHarness::run() {
  std::size_t quiet = 0;
  for (std::size_t turns = 0; quiet < shards_.size(); ++turns) {
    ASSERT(turns < kTurnsMax);
    quiet = turn(turns % shards_.size()) ? 0 : quiet + 1;
  }
}

void ShardHarness::pass(base::Duration time) {
  const base::MonotonicTime end = clock_.now() + time;
  for (;;) {
    run();
    base::MonotonicTime next = end;
    for (const auto& shard : shards_) next = std::min(next, shard->next_time());
    if (clock_.now() >= end) return;
    clock_.advance(std::max(next, clock_.now() + base::Duration(1)) - clock_.now());
  }
}

void ShardHarness::set_limits(const flow::LimitTableRef& table) {
  for (const auto& shard : shards_) {
    shard->begin_turn(clock_.now(), clock_.wall_now());
    shard->set_limits(table);
  }
  run();
}

bool ShardHarness::idle() const {
  return std::all_of(shards_.begin(), shards_.end(), [](const auto& shard) {
    return shard->left_over() == 0 && shard->publishes_pending() == 0;
  });
}

}  // namespace sluice::testing
