// Where is every message that a subscription matched? After every step, and in the metrics.

#include "tests/sim/books.h"

namespace sluice::sim {
namespace {

class LedgerChecker final : public Checker {
 public:
  std::string_view name() const override { return "ledger"; }

  void after_turn(const World& world, std::size_t shard) override {
    const testing::ShardHarness& broker = world.broker();
    ended_.resize(broker.size());
    Ended& ended = ended_[shard];
    const shard::EndedSubscriptions& records = broker.shard(shard).core().ended;
    for (; ended.count < records.size() + records.forgotten(); ++ended.count) {
      const std::size_t back = records.size() + records.forgotten() - ended.count - 1;
      count(records.newest(back).shown_name, records.newest(back).ledger, ended.sum);
    }
    queue::Ledger sum = ended.sum;
    std::uint64_t held_bytes = 0;
    broker.shard(shard).each_subscription([&](const shard::Subscription& subscription) {
      const queue::Ledger ledger = subscription.queue.ledger();
      if (ledger.imbalance() != 0)
        count(subscription.shown_name(), ledger, sum);
      else
        add(sum, ledger);
      held_bytes += subscription.queue.held_bytes();
    });
    compare(broker.metrics(shard), sum, held_bytes);
  }

 private:
  struct Ended {
    std::size_t count = 0;
    queue::Ledger sum{};
  };

  void count(const std::string& name, const queue::Ledger& ledger, queue::Ledger& sum) {
    add(sum, ledger);
    if (ledger.imbalance() == 0) return;
    broken(name + " cannot account for " + std::to_string(ledger.imbalance()) + " messages");
  }

  void compare(const metrics::ShardMetrics& m, const queue::Ledger& sum, std::uint64_t held) {
    same("matched", m.copies_matched.value(), sum.matched);
    same("delivered", m.copies_delivered.value() - m.copies_returned.value(),
         sum.delivered + sum.in_flight);
    same("in flight", static_cast<std::uint64_t>(m.copies_in_flight.value()), sum.in_flight);
    same("discarded", m.copies_discarded.value(), sum.discarded);
    same("queued", static_cast<std::uint64_t>(m.copies_queued.value()), sum.queued);
    same("waiting", static_cast<std::uint64_t>(m.copies_waiting.value()), sum.waiting);
    same("queued bytes", static_cast<std::uint64_t>(m.queued_bytes.value()), held);
    for (std::size_t i = 0; i < queue::kGapReasons; ++i) {
      const auto reason = static_cast<wire::GapReason>(i + 1);
      same(wire::gap_reason_name(reason), m.copies_dropped[i + 1].value(), sum.dropped[i]);
    }
  }

  void same(std::string_view what, std::uint64_t metric, std::uint64_t ledgers) {
    if (metric == ledgers) return;
    broken("the metric of " + std::string(what) + " is " + std::to_string(metric) +
           " where the ledgers have " + std::to_string(ledgers));
  }

  std::vector<Ended> ended_;
};

}  // namespace

std::unique_ptr<Checker> make_ledger_checker() { return std::make_unique<LedgerChecker>(); }

}  // namespace sluice::sim
