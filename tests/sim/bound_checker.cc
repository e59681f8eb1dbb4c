// Does no queue hold more than its bounds, and nobody get more than was granted?

#include "tests/sim/books.h"

namespace sluice::sim {
namespace {

class BoundChecker final : public Checker {
 public:
  std::string_view name() const override { return "bounds"; }

  void after_turn(const World& world, std::size_t shard) override {
    const base::MonotonicTime now = world.broker().clock().now();
    world.broker().shard(shard).each_subscription(
        [&](const shard::Subscription& subscription) { check_queue(world, subscription, now); });
    check_credit(world);
  }

 private:
  struct Spent {
    std::size_t read = 0;
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
  };

  void check_queue(const World& world, const shard::Subscription& subscription,
                   base::MonotonicTime now) {
    const queue::BoundedQueue& queue = subscription.queue;
    const queue::Bounds& bounds = queue.bounds();
    // What was put back, or agreed on and stood behind others, may exceed them.
    const bool blocks = queue.ladder().blocks();
    const bool may_exceed = subscription.group || (blocks && world.profile().needs);
    if (!may_exceed &&
        (queue.queued() > bounds.max_messages || queue.held_bytes() > bounds.max_bytes)) {
      broken(subscription.shown_name() + " holds " + std::to_string(queue.queued()) + " of " +
             std::to_string(bounds.max_messages) + " messages, " +
             std::to_string(queue.held_bytes()) + " of " + std::to_string(bounds.max_bytes) + " B");
    }
    if (!may_exceed && !world.profile().needs &&
        queue.spilled_bytes() > queue.ladder().spill_bytes) {
      broken(subscription.shown_name() + " spills " + std::to_string(queue.spilled_bytes()) +
             " of " + std::to_string(queue.ladder().spill_bytes) + " B");
    }
    const queue::StepKind last = queue.ladder().steps[queue.ladder().size - 1U].kind;
    const bool timed = last == queue::StepKind::kDropOldest || last == queue::StepKind::kDisconnect;
    if (timed && bounds.max_lag.count() > 0 && queue.lag(now) > bounds.max_lag) {
      broken(subscription.shown_name() + " holds a message that is too old");
    }
  }

  void check_credit(const World& world) {
    const History& history = world.history();
    spent_.resize(history.subscriptions.size());
    for (std::size_t place = 0; place < spent_.size(); ++place) {
      const Subscribed& subscribed = history.subscriptions[place];
      const auto& all = history.actors[subscribed.actor].client->told();
      const auto told = all.find(subscribed.id);
      if (told == all.end()) continue;
      Spent& spent = spent_[place];
      for (; spent.read < told->second.size(); ++spent.read) {
        const testing::Told& each = told->second[spent.read];
        if (each.count != 0) continue;
        if (spent.messages >= subscribed.granted_messages ||
            spent.bytes >= subscribed.granted_bytes) {
          broken(subscribed.shown_name + " got #" + std::to_string(each.sequence) +
                 " that it had not granted");
        }
        ++spent.messages;
        spent.bytes += each.bytes;
      }
    }
  }

  std::vector<Spent> spent_;  // by subscription
};

}  // namespace

std::unique_ptr<Checker> make_bound_checker() { return std::make_unique<BoundChecker>(); }

}  // namespace sluice::sim
