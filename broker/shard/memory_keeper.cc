#include "broker/shard/memory_keeper.h"

#include <algorithm>

#include "broker/config/memory_costs.h"
#include "broker/shard/ledger_scope.h"
#include "broker/shard/publishing.h"
#include "broker/shard/subscriptions.h"
#include "libs/base/units.h"

namespace sluice::shard {

using metrics::MemoryPart;

namespace {

// Of 255; a step is left downwards only half a step below where it began.
constexpr std::uint8_t kStep = 64;
constexpr std::uint32_t kRetryAfterMs = 100;

// Below this a write is hardly worth a system call; one message may exceed it.
constexpr std::uint64_t kOutputMin = 8192;

std::size_t output_share(const Core& core) {
  const std::uint64_t all = core.memory.limit() / config::kOutputShare / core.shard_count();
  const std::uint64_t each = all / std::max<std::size_t>(core.connections.size(), 1);
  return std::min<std::uint64_t>(core.options.output_high, std::max(kOutputMin, each));
}

// Some sixteen times what a look at a queue takes.
constexpr auto kWalkPerQueue = std::chrono::microseconds(1);

// Idle slabs take no more than one part in 32 of the budget, however many may be kept.
constexpr std::uint64_t kIdleShare = 32;

std::size_t idle_slabs_max(const Core& core) {
  const std::uint64_t share =
      core.memory.limit() / kIdleShare / core.shard_count() / core.pool.slab_bytes();
  return std::min<std::uint64_t>(core.options.slab_idle_max, share);
}

std::uint8_t next_step(std::uint8_t step, std::uint8_t pressure) {
  const auto up = static_cast<std::uint8_t>(pressure == 255 ? 255 : pressure / kStep * kStep);
  const bool falls = up < step && pressure + kStep / 2 < step;
  return up > step || falls ? up : step;
}

}  // namespace

tl::unexpected<base::Error> Core::memory_full(std::string_view what) const {
  return base::fail(base::ErrorCode::kMemoryBudget,
                    "no memory for " + std::string(what) + ": the process uses " +
                        base::human_size(static_cast<double>(memory.used())) + " of " +
                        base::format_size(memory.limit()) + " (node.memory_budget)");
}

void MemoryKeeper::on_turn() {
  flow::MemoryBudget* budget = core_.memory.budget();
  const std::uint64_t held = count_parts();
  if (budget == nullptr) return;
  core_.output_high = output_share(core_);
  flow::ShardUse use = core_.memory.told();
  use.held = held;
  use.subscriptions = subscriptions_.size();
  const std::uint64_t used = core_.memory.used();
  const std::uint64_t ceiling = budget->ceiling();
  const bool follows = ceiling == use.ceiling;
  if (core_.now >= next_walk_ && (!follows || budget->is_tight(used))) {
    next_walk_ = core_.now + walk_pause(use.subscriptions);
    use.largest_queue = walk_queues(ceiling);
    use.ceiling = ceiling;
  }
  core_.pool.trim(used >= budget->high() ? 0 : idle_slabs_max(core_));
  core_.memory.tell(use);
  budget->adjust(core_.now);
  tell_publishers();
}

base::Duration MemoryKeeper::walk_pause(std::uint64_t queues) {
  return std::max<base::Duration>(flow::MemoryBudget::kLowerEvery, queues * kWalkPerQueue);
}

// The parts but for batches are this shard's plain numbers; their sum.
std::uint64_t MemoryKeeper::count_parts() {
  metrics::ShardMetrics& m = core_.metrics;
  std::uint64_t held = 0;
  const auto set = [&](MemoryPart part, std::uint64_t bytes) {
    m.memory_used[part].set(static_cast<std::int64_t>(bytes));
    held += bytes;
  };
  set(MemoryPart::kProcess,
      config::kShardBytes + (core_.id.value() == 0 ? config::kProcessBytes : 0));
  set(MemoryPart::kSubscriptions, subscriptions_.size() * config::kSubscriptionBytes);
  set(MemoryPart::kConnections,
      core_.connections.size() * config::kConnectionBytes + core_.connection_bytes);
  set(MemoryPart::kTopics, core_.topics.memory_bytes() + core_.index.memory_bytes());
  set(MemoryPart::kMailboxes,
      core_.mail.waiting() * config::kMailboxEntryBytes + publishing_.memory_bytes());
  set(MemoryPart::kHistory,
      core_.ended.memory_bytes() + core_.drops.memory_bytes() + core_.marks.memory_bytes());
  set(MemoryPart::kQueues, core_.memory.queues() + core_.spill.memory_bytes());
  if (const base::SlabAccount* account = core_.pool.account()) {
    m.memory_used[MemoryPart::kBatches].set(static_cast<std::int64_t>(account->bytes()));
  }
  return held;
}

// Takes from every queue over the ceiling that can give way. Returns
// the bytes of the largest of these that is left.
std::uint64_t MemoryKeeper::walk_queues(std::uint64_t ceiling) {
  std::uint64_t largest = 0;
  over_.clear();
  subscriptions_.each([&](const Subscription& subscription) {
    if (!subscription.queue.ladder().gives_way()) return;
    const std::uint64_t held = subscription.queue.bytes_in_memory();
    largest = std::max(largest, std::min(ceiling, held));
    if (held > ceiling) over_.push_back(subscription.slot);
  });
  // What a squeeze settles may end other subscriptions, hence the look before the leap.
  for (const model::SubscriptionSlot slot : over_) {
    Subscription* subscription = subscriptions_.find(slot);
    if (subscription != nullptr) squeeze(*subscription, ceiling);
  }
  return largest;
}

void MemoryKeeper::squeeze(Subscription& subscription, std::uint64_t ceiling) {
  {
    LedgerScope scope(core_, subscription);
    // Lifted at once: what comes later has the queue's own bounds until the next walk.
    subscription.queue.set_ceiling(ceiling, core_.now);
    subscription.queue.set_ceiling(queue::kNoCeiling, core_.now);
    subscription.queue.shrink();
  }
  subscriptions_.settle(subscription);
  subscriptions_.wake(subscription);  // the gap is to be told
  subscriptions_.schedule(subscription);
}

void MemoryKeeper::tell_publishers() {
  const std::uint8_t step = next_step(step_, core_.memory.pressure());
  if (step == step_) return;
  step_ = step;
  const std::string text = "memory: " + base::human_size(static_cast<double>(core_.memory.used())) +
                           " of " + base::format_size(core_.memory.limit()) + " in use";
  wire::State state;
  state.what = wire::StateKind::kPressure;
  state.level = step;
  state.reason = step == 0 ? 0 : static_cast<std::uint16_t>(base::ErrorCode::kMemoryBudget);
  state.retry_after_ms = step == 255 ? kRetryAfterMs : 0;
  state.text = text;
  for (const auto& [id, connection] : core_.connections) {
    const bool publishes = connection->last_publish != 0 || !connection->topics.empty();
    if (publishes && connection->state == ConnectionState::kOpen) core_.send(*connection, state, 0);
  }
}

}  // namespace sluice::shard
