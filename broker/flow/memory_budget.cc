#include "broker/flow/memory_budget.h"

#include <algorithm>

#include "libs/base/assert.h"

namespace sluice::flow {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// Of a shard without a budget, whose blocks count nowhere.
const base::SlabAccount kNowhere;

std::uint64_t share(std::uint64_t of, double part) {
  return static_cast<std::uint64_t>(static_cast<double>(of) * part);
}

}  // namespace

MemoryBudget::MemoryBudget(std::uint64_t limit, std::uint16_t shards)
    : limit_(limit),
      high_(share(limit, kHighShare)),
      low_(share(limit, kLowShare)),
      shards_(shards),
      rows_(std::make_unique<Row[]>(shards)) {
  ASSERT(shards > 0 && limit > 0);
}

void MemoryBudget::tell(model::ShardId shard, const ShardUse& use) noexcept {
  Row& row = rows_[shard.value()];
  row.held.store(use.held, kRelaxed);
  row.largest_queue.store(use.largest_queue, kRelaxed);
  row.subscriptions.store(use.subscriptions, kRelaxed);
  row.ceiling.store(use.ceiling, kRelaxed);
}

std::uint64_t MemoryBudget::used() const noexcept {
  std::uint64_t sum = 0;
  for (std::uint16_t i = 0; i < shards_; ++i) {
    sum += rows_[i].held.load(kRelaxed) + rows_[i].account.bytes();
  }
  return sum;
}

std::uint64_t MemoryBudget::used_by_others(model::ShardId shard) const noexcept {
  std::uint64_t sum = 0;
  for (std::uint16_t i = 0; i < shards_; ++i) {
    if (i != shard.value()) sum += rows_[i].held.load(kRelaxed) + rows_[i].account.bytes();
  }
  return sum;
}

std::uint8_t MemoryBudget::pressure(std::uint64_t used) const noexcept {
  const std::uint64_t half = limit_ / 2;
  if (used <= half) return 0;
  return static_cast<std::uint8_t>(std::min<std::uint64_t>(
      255,
      share(255, static_cast<double>(used - half) / static_cast<double>(publish_limit() - half))));
}

void MemoryBudget::adjust(base::MonotonicTime now) noexcept {
  const std::uint64_t used_now = used();
  const std::uint64_t before = ceiling();
  const bool lower = used_now >= high_;
  if (!lower && (before == kNoCeiling || used_now >= low_)) return;
  const std::int64_t now_ns = now.time_since_epoch().count();
  std::int64_t next = next_move_ns_.load(kRelaxed);
  if (now_ns < next || !all_follow()) return;
  const base::Duration pause = lower ? kLowerEvery : kRaiseEvery;
  if (!next_move_ns_.compare_exchange_strong(next, now_ns + pause.count(), kRelaxed)) return;
  ceiling_.store(lower ? lowered() : raised(), kRelaxed);
}

// Until every shard has followed the last move, nobody knows what it brought.
bool MemoryBudget::all_follow() const noexcept {
  const std::uint64_t wanted = ceiling();
  for (std::uint16_t i = 0; i < shards_; ++i) {
    if (rows_[i].ceiling.load(kRelaxed) != wanted) return false;
  }
  return true;
}

// A quarter off the largest queue, but nobody is squeezed below an even share of half the budget.
std::uint64_t MemoryBudget::lowered() const noexcept {
  std::uint64_t largest = 0;
  std::uint64_t subscriptions = 1;
  for (std::uint16_t i = 0; i < shards_; ++i) {
    largest = std::max(largest, rows_[i].largest_queue.load(kRelaxed));
    subscriptions += rows_[i].subscriptions.load(kRelaxed);
  }
  const std::uint64_t floor = std::max(kCeilingMin, limit_ / 2 / subscriptions);
  if (largest <= floor) return ceiling();
  return std::min(ceiling(), std::max(floor, largest - largest / 4));
}

// An eighth more each time; gone once no queue could be larger than the budget anyhow.
std::uint64_t MemoryBudget::raised() const noexcept {
  const std::uint64_t more = ceiling() + std::max<std::uint64_t>(ceiling() / 8, 1);
  return more >= limit_ ? kNoCeiling : more;
}

ShardMemory::ShardMemory(MemoryBudget* budget, model::ShardId shard) noexcept
    : budget_(budget), shard_(shard), account_(&kNowhere) {
  if (budget == nullptr) return;
  account_ = &budget->account(shard);
  limit_ = budget->limit();
  publish_limit_ = budget->publish_limit();
  retell_after_ = limit_ / 512;
}

// Other shards hear of it, and this one of them, before the turn is over.
void ShardMemory::tell_queues() noexcept {
  told_.held += queues_ - told_.queues;
  tell(told_);
}

void ShardMemory::tell(const ShardUse& use) noexcept {
  told_ = use;
  told_.queues = queues_;
  budget_->tell(shard_, use);
  others_ = budget_->used_by_others(shard_);
  pressure_ = budget_->pressure(used());
}

}  // namespace sluice::flow
