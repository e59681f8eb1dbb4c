#include "broker/shard/ledger_scope.h"

namespace sluice::shard {
namespace {

// Whose publish it was, where its connection is one of this shard's and still there.
std::string publisher_of(Core& core, const model::Origin& origin) {
  if (origin.shard != core.id) return {};
  const Connection* connection = core.find(origin.connection);
  return connection == nullptr ? std::string() : connection->client;
}

}  // namespace

void log_drops(Core& core, Subscription& subscription) {
  for (const queue::Loss& loss : subscription.queue.take_losses()) {
    // What was queued had its receipt, so its publisher hears of the rest by a notice.
    if (loss.reason == wire::GapReason::kExpired && !loss.in_receipt && loss.origin.publish != 0) {
      core.expired.add(loss.origin, loss.count);
    }
    DropKey key{.serial = subscription.serial, .reason = loss.reason};
    key.publisher = loss.origin.connection;
    key.publisher_shard = loss.origin.shard;
    if (loss.topic) {
      key.topic = loss.topic.slot();
      key.generation = loss.topic.generation();
    }
    const DropCount lost{loss.first, loss.last, loss.count, loss.bytes};
    if (core.drops.try_grow(subscription.last_drop, key, lost, core.now)) continue;
    DropRecord record;
    record.key = key;
    record.lost = lost;
    record.subscription = subscription.shown_name();
    if (subscription.connection != nullptr) record.client = subscription.connection->client;
    if (loss.topic) record.topic = *core.topics.name(loss.topic);
    record.publisher = publisher_of(core, loss.origin);
    subscription.last_drop = core.drops.add(std::move(record), subscription.last_drop, core.now);
  }
}

}  // namespace sluice::shard
