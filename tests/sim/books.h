// books.h: what a run at rest amounts to, by queue and by publish.
//
// A queue is a plain subscription, a shared one, or several plain ones of the same name, which
// receipts do not tell apart.
//
// Owner:    the checker that made them, for one look.
// Thread:   the test's.
// Units:    messages.

#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "broker/queue/ledger.h"
#include "tests/sim/world.h"

namespace sluice::sim {

using ByReason = std::array<std::uint64_t, queue::kGapReasons>;

/// What became of a publish, as far as its publisher knows.
enum class Outcome : std::uint8_t {
  kUnknown,  // no receipt was asked for, or none could come
  kNothing,  // no queue was asked to take it
  kPushed,
};

struct QueueBook {
  std::string name{};
  bool shared = false;
  bool whole = true;      // every member is still there: all that was told was heard
  bool cut = false;       // a member's connection went, perhaps with deliveries on their way
  std::size_t lives = 0;  // queues of this name that there are or were
  std::vector<std::size_t> members{};       // places in History::subscriptions
  queue::Ledger ledger{};                   // their sum
  ByReason told{};                          // gaps, by reason
  std::uint64_t seen = 0;                   // messages
  ByReason refused{};                       // in receipts, by gap reason
  std::vector<std::uint32_t> seen_of{};     // by publish
  std::vector<std::uint64_t> refused_of{};  // by publish, for gap reasons
};

class Books {
 public:
  explicit Books(const World& world);

  const std::vector<QueueBook>& queues() const { return queues_; }
  Outcome outcome(const Published& published) const;
  /// The receipt of a publish that has one.
  const testing::ReceiptRow& row(const Published& published) const;
  /// Copies that must have gone to a queue, and those that may have.
  std::uint64_t copies_least(const Published& published, const QueueBook& queue) const;
  std::uint64_t copies_most(const Published& published, const QueueBook& queue) const;

 private:
  void open_queues();
  void read_ledgers();
  void read_told();
  void read_receipts();
  QueueBook* find(const std::string& name);
  bool must_match(const Published& published, const Subscribed& subscribed) const;
  bool may_match(const Published& published, const Subscribed& subscribed) const;

  const World& world_;
  const History& history_;
  std::vector<QueueBook> queues_;
  std::map<std::string, std::size_t> by_name_;
};

/// Adds the counts of one ledger to another.
void add(queue::Ledger& sum, const queue::Ledger& more);

}  // namespace sluice::sim
