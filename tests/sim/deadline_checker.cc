// Is nothing delivered whose deadline has passed?

#include "tests/sim/books.h"

namespace sluice::sim {
namespace {

class DeadlineChecker final : public Checker {
 public:
  std::string_view name() const override { return "deadlines"; }

  void after_turn(const World& world, std::size_t shard) override {
    if (!world.profile().deadlines) return;
    const History& history = world.history();
    const std::uint64_t now = base::to_wire(world.broker().clock().wall_now());
    read_.resize(history.subscriptions.size());
    behind_.resize(history.actors.size());
    for (std::size_t place = 0; place < read_.size(); ++place) {
      const Subscribed& subscribed = history.subscriptions[place];
      const testing::TestClient& client = *history.actors[subscribed.actor].client;
      if (client.shard_id().value() != shard) continue;
      const auto told = client.told().find(subscribed.id);
      if (told == client.told().end()) continue;
      for (; read_[place] < told->second.size(); ++read_[place]) {
        // What a socket had still to take was in time when it was handed over.
        if (!behind_[subscribed.actor]) {
          check(history, subscribed, told->second[read_[place]], now);
        }
      }
    }
    for (std::size_t at = 0; at < behind_.size(); ++at) {
      testing::TestClient& client = *history.actors[at].client;
      if (client.shard_id().value() == shard) behind_[at] = client.link().unsent_bytes() > 0;
    }
  }

 private:
  void check(const History& history, const Subscribed& subscribed, const testing::Told& told,
             std::uint64_t now) {
    // A member of a shared subscription is dealt what was in time where the queue is.
    if (told.count != 0 || !subscribed.group.empty()) return;
    const std::uint64_t number = message_number(told.payload);
    const Published& published = history.publishes[history.publish_of[number]];
    if (published.deadline_ns == 0 || published.deadline_ns > now) return;
    broken(subscribed.shown_name + " got #" + std::to_string(told.sequence) + " " +
           std::to_string((now - published.deadline_ns) / 1000) + " us past its deadline");
  }

  std::vector<std::size_t> read_;  // by subscription
  std::vector<bool> behind_;       // by actor: its socket had something left after its last turn
};

}  // namespace

std::unique_ptr<Checker> make_deadline_checker() { return std::make_unique<DeadlineChecker>(); }

}  // namespace sluice::sim
