// Does everybody get what is due as soon as nothing stands in the way?

#include "tests/sim/books.h"

namespace sluice::sim {
namespace {

class ProgressChecker final : public Checker {
 public:
  std::string_view name() const override { return "progress"; }

  // No shard has anything to do, so what is still open waits for a client.
  void when_quiet(const World& world) override {
    if (world.profile().limits) return;  // a rate may hold things back; checked at rest
    const testing::ShardHarness& broker = world.broker();
    bool waits = false;
    for (std::size_t i = 0; i < broker.size(); ++i) {
      broker.shard(i).each_subscription([&](const shard::Subscription& subscription) {
        const queue::Ledger ledger = subscription.queue.ledger();
        if (ledger.waiting > 0) waits = true;
        if (ledger.waiting > 0 && ledger.queued + ledger.in_flight == 0) {
          broken(subscription.shown_name() + " holds messages back though nothing is queued");
        }
        check_delivered(subscription);
      });
    }
    if (waits) return;
    for (std::size_t i = 0; i < broker.size(); ++i) {
      if (broker.shard(i).publishes_pending() == 0) continue;
      broken("shard " + std::to_string(i) + " has publishes pending though nothing is held back");
      return;
    }
    check_receipts(world);
  }

  void at_rest(const World& world) override {
    for (std::size_t i = 0; i < world.broker().size(); ++i) {
      const shard::Shard& shard = world.broker().shard(i);
      shard.each_subscription([&](const shard::Subscription& subscription) {
        const queue::Ledger ledger = subscription.queue.ledger();
        const std::uint64_t held = ledger.queued + ledger.spilled + ledger.waiting;
        if (held == 0 && subscription.queue.empty()) return;
        broken(subscription.shown_name() + " is left with " + std::to_string(ledger.queued) +
               " queued, " + std::to_string(ledger.spilled) + " spilled, " +
               std::to_string(ledger.waiting) + " waiting");
      });
      if (shard.publishes_pending() != 0) broken("publishes are pending at rest");
      if (world.history().drained && !shard.is_drained()) broken("a shard does not drain");
    }
    for (const Actor& actor : world.history().actors) {
      if (actor.left || actor.gone != kNotYet) continue;
      std::size_t answers = 0;
      for (const testing::Withdrawn& each : actor.client->withdrawn()) {
        if (!each.expired) ++answers;
      }
      if (answers == actor.cancels) continue;
      broken(actor.name + " has " + std::to_string(answers) + " answers to " +
             std::to_string(actor.cancels) + " cancels");
    }
  }

 private:
  void check_delivered(const shard::Subscription& subscription) {
    if (subscription.group) {
      bool open = false;  // as the members have it, not as their line has
      subscription.group->members.each(
          [&open](const shard::Member& member) { open |= member.credit.open(); });
      if (open && !subscription.queue.empty()) {
        broken(subscription.shown_name() + " keeps messages from a member with credit");
      }
      return;
    }
    const shard::Connection& connection = *subscription.connection;
    if (!subscription.active || subscription.paused || subscription.paced_by != 0) return;
    if (!subscription.credit.open() || connection.link->unsent_bytes() > 0) return;
    if (connection.state != shard::ConnectionState::kOpen) return;
    if (subscription.queue.empty()) return;
    broken(subscription.shown_name() + " is not delivered what it has credit for");
  }

  // Nothing is open any more: whoever reads has heard of all that the broker has.
  void check_receipts(const World& world) {
    const base::MonotonicTime now = world.broker().clock().now();
    for (const Published& published : world.history().publishes) {
      const Actor& actor = world.history().actors[published.actor];
      if (published.never_told() || published.told_problems() || published.receipts > 0) continue;
      if (!actor.acts() || actor.slow || actor.silent_until > now) continue;
      if (actor.client->unsaid_bytes() > 0) continue;
      broken(actor.name + " has no receipt of publish " + std::to_string(published.number) +
             " though nothing is open");
    }
  }
};

}  // namespace

std::unique_ptr<Checker> make_progress_checker() { return std::make_unique<ProgressChecker>(); }

}  // namespace sluice::sim
