// memory_budget.h: how much of its memory does the process use, and who gives way when it is short?
//
// One budget for all shards. Each shard keeps plain numbers of what it holds and tells their sum
// once a turn; what blocks of bytes take is counted where they are made and freed
// (base::SlabAccount). Use is the sum over shards, so nothing on a publish's way is contended.
//
//   below 1/2            no pressure
//   from 1/2             pressure rises to 255, which publishers are told
//   from kHighShare on   queues are squeezed, the largest first: a ceiling on what any queue holds
//                        comes down below the largest of them, step by step, until use has fallen
//                        below kLowShare, and goes up again; it never comes below an even share
//   from 31/32           publishes are refused; the rest is for acknowledgements, administration
//   from 1               connections, subscriptions and topics are refused as well; publishes that
//                        were on their way are queued only where they may not be lost, and
//   from 9/8             nowhere
//
// Owner:    the daemon or a test; outlives every shard, and the slabs that count in its accounts.
// Thread:   any; what is named of a shard is written by that shard alone. adjust() lets one in.
// Units:    bytes.
// Source:   docs/decisions/0008-one-memory-budget.md, docs/guide/memory.md
// Tests:    tests/unit/broker/flow/memory_budget_test.cc

#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <string>

#include "broker/model/ids.h"
#include "libs/base/clock.h"
#include "libs/base/slab.h"

namespace sluice::flow {

inline constexpr std::uint64_t kNoCeiling = std::numeric_limits<std::uint64_t>::max();

/// What a shard tells of itself.
struct ShardUse {
  std::uint64_t held = 0;           // memory of everything but blocks of bytes
  std::uint64_t queues = 0;         // of it, bookkeeping of queues
  std::uint64_t largest_queue = 0;  // bytes of the largest queue that a ceiling can make smaller
  std::uint64_t subscriptions = 0;
  std::uint64_t ceiling = kNoCeiling;  // the one that its queues have
};

/// Bounds below that of the process, each for what publishers of one shard have waiting; 0: none.
struct MemoryLevels {
  std::uint64_t topic = 0;
  std::uint64_t user = 0;  // nobody is authenticated yet: all are one user
};

class MemoryBudget {
 public:
  static constexpr double kHighShare = 0.85;
  static constexpr double kLowShare = 0.70;
  static constexpr std::uint64_t kCeilingMin = 4096;
  static constexpr base::Duration kLowerEvery = std::chrono::milliseconds(5);
  static constexpr base::Duration kRaiseEvery = std::chrono::milliseconds(50);

  MemoryBudget(std::uint64_t limit, std::uint16_t shards, MemoryLevels levels = {});

  std::uint64_t limit() const noexcept { return limit_; }
  /// Where publishes begin to be refused.
  std::uint64_t publish_limit() const noexcept { return limit_ - limit_ / 32; }
  std::uint64_t high() const noexcept { return high_; }
  std::uint64_t low() const noexcept { return low_; }

  /// Where blocks made by this shard count.
  base::SlabAccount& account(model::ShardId shard) noexcept { return rows_[shard.value()].account; }
  /// Where copies count that wait because of a publish to this topic of a publisher of this shard,
  /// on whichever shard they wait. Called by that shard.
  base::SlabAccount& topic_account(model::ShardId shard, model::TopicSlot topic);
  const MemoryLevels& levels() const noexcept { return levels_; }
  /// How near such an account, or its user's, is to its bound. 0 of any other account.
  std::uint8_t pressure_of(const base::SlabAccount& topic) const noexcept;

  void tell(model::ShardId shard, const ShardUse& use) noexcept;
  std::uint64_t used() const noexcept;
  std::uint64_t used_by_others(model::ShardId shard) const noexcept;
  std::uint8_t pressure(std::uint64_t used) const noexcept;

  /// What a queue may hold at most, beside its own bounds; kNoCeiling: no matter.
  std::uint64_t ceiling() const noexcept { return ceiling_.load(std::memory_order_relaxed); }
  /// True while queues give way or may have to soon, so that each shard should keep telling which
  /// of its queues is the largest.
  bool is_tight(std::uint64_t used) const noexcept {
    return used >= low_ || ceiling() != kNoCeiling;
  }
  /// Moves the ceiling if use demands it, and the last move was long enough ago and every shard has
  /// followed it.
  void adjust(base::MonotonicTime now) noexcept;

 private:
  struct Row {
    base::SlabAccount account;
    base::SlabAccount user{&account};
    std::deque<base::SlabAccount> topics;  // by slot, which a later topic inherits; stable places
    alignas(64) std::atomic<std::uint64_t> held{0};
    std::atomic<std::uint64_t> largest_queue{0};
    std::atomic<std::uint64_t> subscriptions{0};
    std::atomic<std::uint64_t> ceiling{kNoCeiling};
  };

  std::uint64_t lowered() const noexcept;
  std::uint64_t raised() const noexcept;
  bool all_follow() const noexcept;

  const std::uint64_t limit_;
  const MemoryLevels levels_;
  const std::uint64_t high_;
  const std::uint64_t low_;
  const std::uint16_t shards_;
  std::unique_ptr<Row[]> rows_;
  alignas(64) std::atomic<std::uint64_t> ceiling_{kNoCeiling};
  std::atomic<std::int64_t> next_move_ns_{std::numeric_limits<std::int64_t>::min()};
};

/// One shard's view of the budget: what it told last, and what the others had told then.
class ShardMemory {
 public:
  /// `budget` may be null: nothing is ever refused.
  ShardMemory(MemoryBudget* budget, model::ShardId shard) noexcept;

  /// Use by now: what was told, but for blocks of bytes and queues of this shard, which may have
  /// grown much within the turn.
  std::uint64_t used() const noexcept {
    return told_.held - told_.queues + queues_ + others_ + account_->bytes();
  }
  /// Bookkeeping of queues has grown or shrunk.
  void queues_moved(std::uint64_t from, std::uint64_t to) noexcept {
    queues_ += to - from;
    if (queues_ - told_.queues + retell_after_ > 2 * retell_after_) tell_queues();
  }
  std::uint64_t queues() const noexcept { return queues_; }

  /// True when a publish is to be refused. Asked for each: reads what this shard alone writes.
  bool refuses_publishes() const noexcept { return used() >= publish_limit_; }
  /// True when nothing new is to begin: connections, subscriptions, topics.
  bool is_full() const noexcept { return used() >= limit_; }
  /// True when the budget is exceeded by an eighth: nothing more is queued at all.
  bool is_exceeded() const noexcept { return used() - limit_ / 8 >= limit_ && is_full(); }
  std::uint64_t limit() const noexcept { return limit_; }
  std::uint8_t pressure() const noexcept { return pressure_; }

  /// Where copies count that a publish to `topic` leaves waiting: `otherwise` where topics and
  /// users have no bounds of their own.
  base::SlabAccount* account_of(model::TopicSlot topic, base::SlabAccount* otherwise) {
    return has_levels_ ? &budget_->topic_account(shard_, topic) : otherwise;
  }
  /// The level that refuses a publish to `topic`, in words and numbers; empty when none does.
  std::string refusal(model::TopicSlot topic) const {
    return !has_levels_ && !refuses_publishes() ? std::string() : refusal_text(topic);
  }
  std::uint64_t ceiling() const noexcept { return told_.ceiling; }
  const ShardUse& told() const noexcept { return told_; }

  /// To be called once a turn; growth of queues is told in between when it is much. Requires: a
  /// budget.
  void tell(const ShardUse& use) noexcept;

  MemoryBudget* budget() const noexcept { return budget_; }

 private:
  void tell_queues() noexcept;
  std::string refusal_text(model::TopicSlot topic) const;

  MemoryBudget* budget_;
  model::ShardId shard_;
  const base::SlabAccount* account_;
  std::uint64_t limit_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t publish_limit_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t others_ = 0;
  std::uint64_t queues_ = 0;
  std::uint64_t retell_after_ = std::numeric_limits<std::uint64_t>::max() / 4;
  ShardUse told_;
  std::uint8_t pressure_ = 0;
  bool has_levels_ = false;
};

}  // namespace sluice::flow
