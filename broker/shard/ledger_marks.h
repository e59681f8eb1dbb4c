// ledger_marks.h: what did a ledger say some time ago?
//
// Marks of all subscriptions of a shard in one ring; those of one subscription are chained from its
// newest back. A subscription is marked when its ledger has changed, at most once in kEvery.
//
// Owner:    Core.
// Thread:   the owner shard only.
// Limits:   `max` marks, the oldest go first.
// Tests:    tests/unit/broker/shard/ledger_marks_test.cc

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "broker/queue/ledger.h"
#include "libs/base/clock.h"

namespace sluice::shard {

class LedgerMarks {
 public:
  static constexpr base::Duration kEvery = std::chrono::seconds(10);

  explicit LedgerMarks(std::size_t max) : max_(max) {}

  /// Marks it if it has changed since the mark `newest` (0: none yet, and it began empty) and that
  /// is kEvery ago. Gives the newest mark.
  std::uint64_t mark(std::uint64_t newest, const queue::Ledger& ledger, base::MonotonicTime now);

  struct Base {
    base::MonotonicTime at;  // what the ledger said then
    queue::Ledger ledger;
    bool is_late = false;  // nothing older is known: `at` is later than what was asked for
  };
  /// What a ledger, which was empty at `began`, said last before `since`.
  Base at(std::uint64_t newest, base::MonotonicTime began, base::MonotonicTime since) const;

  std::size_t memory_bytes() const noexcept { return marks_.capacity() * sizeof(Mark); }

 private:
  struct Mark {
    std::uint64_t previous = 0;
    base::MonotonicTime at;
    queue::Ledger ledger;
  };

  const Mark* find(std::uint64_t number) const;

  std::size_t max_;
  std::uint64_t added_ = 0;
  std::vector<Mark> marks_;  // a ring: number n stands at (n - 1) % max_
};

}  // namespace sluice::shard
