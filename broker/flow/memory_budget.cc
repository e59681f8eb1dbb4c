#include "broker/flow/memory_budget.h"

#include <algorithm>

#include "libs/base/assert.h"
#include "libs/base/units.h"

namespace sluice::flow {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

// Of a shard without a budget, whose blocks count nowhere.
const base::SlabAccount kNowhere;

std::uint64_t share(std::uint64_t of, double part) {
  return static_cast<std::uint64_t>(static_cast<double>(of) * part);
}

std::uint8_t part_of(std::uint64_t used, std::uint64_t whole) {
  return static_cast<std::uint8_t>(std::min<std::uint64_t>(
      255, share(255, static_cast<double>(used) / static_cast<double>(whole))));
}

// From half of a bound of its own on; 0: none.
std::uint8_t pressure_at(std::uint64_t used, std::uint64_t bound) {
  return used <= bound / 2 || bound == 0 ? 0 : part_of(used - bound / 2, bound - bound / 2);
}

std::string text_of(std::string_view level, std::uint64_t used, std::uint64_t bound,
                    std::string_view setting) {
  return std::string(level) + " has " + base::human_size(static_cast<double>(used)) +
         " in memory, its bound is " + base::format_size(bound) + " (" + std::string(setting) + ")";
}

}  // namespace

MemoryBudget::MemoryBudget(std::uint64_t limit, std::uint16_t shards, MemoryLevels levels)
    : limit_(limit),
      levels_(levels),
      high_(share(limit, kHighShare)),
      low_(share(limit, kLowShare)),
      shards_(shards),
      rows_(std::make_unique<Row[]>(shards)) {
  ASSERT(shards > 0 && limit > 0);
}

base::SlabAccount& MemoryBudget::topic_account(model::ShardId shard, model::TopicSlot topic) {
  Row& row = rows_[shard.value()];
  while (row.topics.size() <= topic.value()) row.topics.emplace_back(&row.user);
  return row.topics[topic.value()];
}

std::uint8_t MemoryBudget::pressure_of(const base::SlabAccount& topic) const noexcept {
  const base::SlabAccount* user = topic.parent();
  if (user == nullptr || user->parent() == nullptr) return 0;
  return std::max(pressure_at(topic.bytes(), levels_.topic),
                  pressure_at(user->bytes(), levels_.user));
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
  return used <= half ? 0 : part_of(used - half, publish_limit() - half);
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
  has_levels_ = budget->levels().topic != 0 || budget->levels().user != 0;
}

std::string ShardMemory::refusal_text(model::TopicSlot topic) const {
  if (refuses_publishes()) return text_of("the process", used(), limit_, "node.memory_budget");
  const base::SlabAccount& account = budget_->topic_account(shard_, topic);
  const MemoryLevels& levels = budget_->levels();
  if (levels.topic != 0 && account.bytes() >= levels.topic) {
    return text_of("the topic", account.bytes(), levels.topic, "topic.memory");
  }
  const std::uint64_t user = account.parent()->bytes();
  if (levels.user != 0 && user >= levels.user) {
    return text_of("the user", user, levels.user, "user.memory");
  }
  return {};
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
