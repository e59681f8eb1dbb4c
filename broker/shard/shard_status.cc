// The part of Shard that tells operators what it holds.

#include <algorithm>

#include "broker/shard/shard.h"
#include "libs/base/assert.h"

namespace sluice::shard {

model::ShardStatus Shard::status(std::size_t limit) {
  model::ShardStatus out;
  Inspection::Cursor cursor;
  while (inspection_.status(limit, cursor, out)) {
  }
  return out;
}

void Shard::check_invariants() const {
  subscriptions_.check_invariants();
  publishing_.check_invariants();
  core_.topics.check_invariants();
  for (const auto& [id, connection] : core_.connections) {
    ASSERT(connection->id.value() == id);
    for (const model::SubscriptionSlot slot : connection->ready) {
      ASSERT(subscriptions_.at(slot).ready);
    }
  }
}

bool Shard::is_drained() const {
  if (publishing_.pending() != 0 || core_.mail.waiting() != 0) return false;
  if (withdrawals_.open() != 0 || has_unread()) return false;
  if (subscriptions_.held() != 0) return false;
  return std::all_of(core_.connections.begin(), core_.connections.end(), [](const auto& entry) {
    const Connection& connection = *entry.second;
    return connection.dealt.empty() && connection.control.empty() &&
           (connection.state == ConnectionState::kClosed || connection.link->unsent_bytes() == 0);
  });
}

}  // namespace sluice::shard
