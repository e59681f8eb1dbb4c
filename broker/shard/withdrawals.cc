#include "broker/shard/withdrawals.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "broker/shard/ledger_scope.h"
#include "libs/base/assert.h"

namespace sluice::shard {

using base::ErrorCode;
using base::fail;
using base::Status;

Status Withdrawals::begin(Connection& connection, const model::CancelCommand& command) {
  if (command.target == 0 || command.target > connection.last_publish) {
    return fail(ErrorCode::kBadArgument, "publish " + std::to_string(command.target) +
                                             " cannot be withdrawn: the last was " +
                                             std::to_string(connection.last_publish));
  }
  if (connection.cancels_open >= kOpenMax) {
    return fail(ErrorCode::kUnavailable,
                std::to_string(kOpenMax) + " cancels of this connection have no answer yet");
  }
  base::Result<model::TopicRef> topic = publishing_.topic_of(connection, command);
  if (!topic) return fail(topic.error());

  ++connection.cancels_open;
  Open open;
  open.token = ++last_token_;
  open.connection = connection.id;
  open.correlation = command.correlation;
  open.target = command.target;
  const model::Origin origin{connection.id, command.target, core_.id};
  open.withdrawn = publishing_.withdraw_early(connection, command.topic, command.target);
  if (open.withdrawn > 0) {
    answer(open);
    return {};
  }
  const std::uint64_t remote = core_.topics.match(*topic).remote;
  open.shards_open = static_cast<std::uint32_t>(std::popcount(remote)) + 1;
  const std::uint64_t token = open.token;
  open_.push_back(open);
  core_.each_other_shard([&](model::ShardId shard) {
    if ((remote >> shard.value() & 1) == 0) return;
    core_.mail.post(shard, WithdrawLetter{token, origin, core_.topics.name(*topic)});
    core_.metrics.mailbox_posted.add();
  });
  search(core_.id, token, origin, *topic);
  return {};
}

void Withdrawals::on_withdraw(model::ShardId from, WithdrawLetter&& letter) {
  search(from, letter.token, letter.origin, core_.topics.intern(letter.topic));
}

void Withdrawals::search(model::ShardId from, std::uint64_t token, const model::Origin& origin,
                         const model::TopicRef& topic) {
  Search& search = searches_.emplace_back();
  search.from = from;
  search.token = token;
  search.origin = origin;
  const topic::Match& match = core_.topics.match(topic);
  search.places.reserve(match.local.size());
  for (const model::SubscriptionSlot slot : match.local) {
    search.places.push_back({slot, subscriptions_.at(slot).serial});
  }
}

bool Withdrawals::work() {
  std::uint64_t slices = 0;
  while (!searches_.empty() && slices < kSlicesPerTurn) {
    Search& search = searches_.front();
    if (search.places.empty()) {
      finish(search);
      searches_.pop_front();
    } else {
      slices += look(search);
    }
  }
  return !searches_.empty();
}

std::uint64_t Withdrawals::look(Search& search) {
  const Place place = search.places.back();
  search.places.pop_back();
  Subscription* subscription = subscriptions_.find(place.slot);
  if (subscription == nullptr || subscription->serial != place.serial) return 1;
  const std::uint64_t slices = subscription->queue.slices() + 1;
  std::uint64_t withdrawn = 0;
  {
    LedgerScope scope(core_, *subscription);
    withdrawn = subscription->queue.withdraw(search.origin, core_.now);
  }
  if (withdrawn == 0) return slices;
  search.withdrawn += withdrawn;
  subscriptions_.settle(*subscription);
  subscriptions_.wake(*subscription);  // the gap, and what waited for the room
  subscriptions_.schedule(*subscription);
  return slices;
}

void Withdrawals::finish(const Search& search) {
  const WithdrawnLetter letter{search.token, search.withdrawn};
  if (search.from == core_.id) {
    on_withdrawn(letter);
    return;
  }
  core_.mail.post(search.from, letter);
  core_.metrics.mailbox_posted.add();
}

void Withdrawals::on_withdrawn(const WithdrawnLetter& letter) {
  const auto it = std::find_if(open_.begin(), open_.end(),
                               [&](const Open& open) { return open.token == letter.token; });
  ASSERT(it != open_.end() && it->shards_open > 0);
  it->withdrawn += letter.withdrawn;
  if (--it->shards_open > 0) return;
  const Open done = *it;
  open_.erase(it);
  answer(done);
}

void Withdrawals::answer(const Open& open) {
  Connection* connection = core_.find(open.connection);
  if (connection == nullptr) return;
  ASSERT(connection->cancels_open > 0);
  --connection->cancels_open;
  wire::Cancel frame;
  frame.target = open.target;
  frame.target_kind = wire::FrameKind::kPublish;
  frame.withdrawn = open.withdrawn;
  core_.send(*connection, frame, open.correlation);
}

}  // namespace sluice::shard
