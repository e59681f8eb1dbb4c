// Is everything given back: windows to publishers, room in queues, and at the end all there was?

#include "tests/sim/books.h"

namespace sluice::sim {
namespace {

constexpr std::int64_t kSlabsOfShard = 1;  // the one that is read into

class ReleaseChecker final : public Checker {
 public:
  std::string_view name() const override { return "release"; }

  void at_rest(const World& world) override {
    for (std::size_t i = 0; i < world.broker().size(); ++i) {
      const shard::Core& core = world.broker().shard(i).core();
      const std::uint64_t full = core.options.full_window();
      for (const auto& [id, connection] : core.connections) {
        if (connection->state != shard::ConnectionState::kOpen) continue;
        check_window(connection->named, full, connection->client);
        for (const auto& [topic, open] : connection->topics) {
          check_window(open.window, full, connection->client);
        }
      }
      world.broker().shard(i).each_subscription([&](const shard::Subscription& subscription) {
        const queue::BoundedQueue& queue = subscription.queue;
        if (!queue.empty()) return;  // told by `progress`
        // Messages that may be conflated are counted as entries of their own.
        const std::uint64_t apart = queue.bounds().max_bytes / queue::kSliceOverhead;
        const std::uint64_t messages =
            queue.ladder().conflates() ? std::min<std::uint64_t>(queue.bounds().max_messages, apart)
                                       : queue.bounds().max_messages;
        if (queue.has_room(static_cast<std::uint32_t>(messages), 0, core.now) &&
            queue.has_room(1, queue.bounds().max_bytes - queue::kSliceOverhead, core.now)) {
          return;
        }
        broken(subscription.shown_name() + " is empty and has not all its room");
      });
    }
  }

  void at_end(const World& world) override {
    for (std::size_t i = 0; i < world.broker().size(); ++i) {
      const shard::Shard& shard = world.broker().shard(i);
      const shard::Core& core = shard.core();
      const metrics::ShardMetrics& m = world.broker().metrics(i);
      none("connections", static_cast<std::int64_t>(shard.connection_count()));
      none("publishes pending", static_cast<std::int64_t>(shard.publishes_pending()));
      none("messages", static_cast<std::int64_t>(shard.left_over()));
      none("letters", static_cast<std::int64_t>(core.mail.waiting()));
      none("filters", static_cast<std::int64_t>(core.index.size()));
      none("held topics", static_cast<std::int64_t>(core.topics.held()));
      none("sessions", m.sessions.value());
      none("connections counted", m.connections.value());
      none("subscriptions", m.subscriptions.value());
      none("queued copies", m.copies_queued.value());
      none("waiting copies", m.copies_waiting.value());
      none("queued bytes", m.queued_bytes.value());
      if (m.slabs_in_use.value() > kSlabsOfShard) none("slabs", m.slabs_in_use.value());
    }
  }

 private:
  void check_window(const shard::Window& window, std::uint64_t full, const std::string& client) {
    if (window.left + window.to_return != full) {
      broken("a window of " + client + " has " + std::to_string(window.left + window.to_return) +
             " of " + std::to_string(full) + " bytes back");
    }
    if (!window.parked.empty() || window.settling || window.blocked != 0) {
      broken("a window of " + client + " has publishes that wait");
    }
  }

  void none(std::string_view what, std::int64_t count) {
    if (count != 0) broken(std::to_string(count) + " " + std::string(what) + " are left");
  }
};

}  // namespace

std::unique_ptr<Checker> make_release_checker() { return std::make_unique<ReleaseChecker>(); }

}  // namespace sluice::sim
