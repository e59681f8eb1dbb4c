#include "broker/shard/groups.h"

#include <algorithm>
#include <utility>

#include "broker/protocol/native/native_protocol.h"
#include "broker/shard/ledger_scope.h"
#include "broker/shard/limiting.h"
#include "libs/base/assert.h"

namespace sluice::shard {

using base::ErrorCode;

namespace {

bool same(const queue::Bounds& a, const queue::Bounds& b) {
  return a.max_messages == b.max_messages && a.max_bytes == b.max_bytes && a.max_lag == b.max_lag;
}

// FNV-1a: the home of a name must be the same on every shard and in every run.
std::uint64_t hash_name(std::string_view name) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : name) {
    hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211U;
  }
  return hash ^ (hash >> 32);
}

}  // namespace

model::ShardId Groups::home_of(std::string_view group) const {
  return model::ShardId(static_cast<std::uint16_t>(hash_name(group) % core_.shard_count()));
}

template <typename Anything>
void Groups::post(model::ShardId to, Anything&& letter) {
  ASSERT(to != core_.id);
  core_.mail.post(to, std::forward<Anything>(letter));
  core_.metrics.mailbox_posted.add();
}

// --- The member's side ---------------------------------------------------------------------

Subscription* Groups::find(const GroupRef& ref) {
  Subscription* group = subscriptions_.find(ref.slot);
  return group != nullptr && group->serial == ref.serial ? group : nullptr;
}

Consumer* Groups::find(Connection* connection, const MemberKey& member) {
  if (connection == nullptr) return nullptr;
  const auto it = connection->consumers.find(member.subscription.value());
  if (it == connection->consumers.end() || it->second.join != member.join) return nullptr;
  return &it->second;
}

void Groups::join(Connection& connection, const Consumer& consumer,
                  const wire::Subscribe& subscribe, const SubscribeSpec& spec) {
  GroupJoinLetter letter;
  letter.spec = {std::string(subscribe.group), spec.filters, spec.bounds, spec.ladder};
  letter.member = {core_.id, connection.id, model::SubscriptionId(subscribe.subscription),
                   consumer.join};
  letter.member_name = subscribe.name;
  letter.credit = {subscribe.credit_messages, static_cast<std::int64_t>(subscribe.credit_bytes)};
  const model::ShardId home = consumer.home;
  if (home == core_.id) {
    on_join(core_.id, std::move(letter));
  } else {
    post(home, std::move(letter));
  }
}

void Groups::on_joined(model::ShardId from, GroupJoinedLetter&& letter) {
  Connection* connection = core_.find(letter.member.connection);
  const auto id = letter.member.subscription.value();
  Consumer* found = find(connection, letter.member);
  if (found == nullptr) {
    // It left before it had come in.
    if (letter.error != ErrorCode::kNone) return;
    const GroupLeaveLetter leave{letter.group, letter.member, {}, {}};
    if (from == core_.id) {
      on_leave(leave);
    } else {
      post(from, leave);
    }
    return;
  }
  Consumer& consumer = *found;
  ASSERT(!consumer.joined);
  const std::uint64_t correlation = consumer.correlation;
  if (letter.error != ErrorCode::kNone) {
    connection->consumers.erase(id);
    core_.metrics.protocol_errors[letter.error].add();
    protocol::native::encode_error(connection->control, {letter.error, letter.detail}, correlation,
                                   id);
    core_.touch(*connection);
    subscriptions_.end_early(*connection, id);
    return;
  }
  consumer.joined = true;
  consumer.queue = letter.group;
  const std::string overflow = queue::format_ladder(letter.ladder);
  wire::Subscribed answer;
  answer.subscription = id;
  answer.max_messages = letter.bounds.max_messages;
  answer.max_bytes = letter.bounds.max_bytes;
  answer.max_lag_ns = static_cast<std::uint64_t>(letter.bounds.max_lag.count());
  answer.next_sequence = letter.next_sequence;
  answer.overflow = overflow;
  core_.send(*connection, answer, correlation);
  if (subscriptions_.end_early(*connection, id)) return;
  // What was granted before it came in is news now.
  if (consumer.unsaid.messages == 0 && consumer.unsaid.bytes == 0) return;
  note_news(*connection, letter.member.subscription, consumer);
}

void Groups::add_credit(Connection& connection, Consumer& consumer, model::SubscriptionId id,
                        const queue::Credit& more) {
  consumer.unsaid.messages += more.messages;
  consumer.unsaid.bytes += more.bytes;
  note_news(connection, id, consumer);
}

void Groups::taken(Connection& connection, const InFlight& sent) {
  const auto it = connection.consumers.find(sent.subscription.value());
  if (it == connection.consumers.end() || it->second.join != sent.join) return;  // group has ended
  it->second.taken.add(sent.sum);
  note_news(connection, sent.subscription, it->second);
}

void Groups::held_back(Connection& connection, const Dealt& dealt) {
  const auto it = connection.consumers.find(dealt.subscription.value());
  if (it == connection.consumers.end() || it->second.join != dealt.join) return;
  if (it->second.paced_by == connection.limits->paced_by) return;  // its home knows
  note_news(connection, dealt.subscription, it->second);
}

void Groups::note_news(Connection& connection, model::SubscriptionId id, Consumer& consumer) {
  if (!consumer.joined) return;  // on_joined will
  if (consumer.home == core_.id) {
    on_news(take_news(connection, id, consumer));
    return;
  }
  if (consumer.has_news) return;
  consumer.has_news = true;
  news_.emplace_back(connection.id, id);
}

// The limit that something dealt to a consumer waits for.
std::uint32_t Groups::pacer_of(const Connection& connection, std::uint64_t join) const {
  if (connection.limits == nullptr || connection.limits->paced_until <= core_.now) return 0;
  const bool waits = std::any_of(connection.dealt.begin(), connection.dealt.end(),
                                 [join](const Dealt& dealt) { return dealt.join == join; });
  return waits ? connection.limits->paced_by : 0;
}

GroupNewsLetter Groups::take_news(const Connection& connection, model::SubscriptionId id,
                                  Consumer& consumer) const {
  consumer.has_news = false;
  consumer.paced_by = pacer_of(connection, consumer.join);
  return {consumer.queue,
          {core_.id, connection.id, id, consumer.join},
          std::exchange(consumer.unsaid, {}),
          std::exchange(consumer.taken, {}),
          consumer.paced_by};
}

void Groups::tell_news() {
  for (const auto& [connection_id, id] : std::exchange(news_, {})) {
    Connection* connection = core_.find(connection_id);
    if (connection == nullptr) continue;  // it has said so as it left
    const auto it = connection->consumers.find(id.value());
    if (it == connection->consumers.end() || !it->second.has_news) continue;
    post(it->second.home, take_news(*connection, id, it->second));
  }
}

void Groups::leave(Connection& connection, model::SubscriptionId id, const Consumer& consumer) {
  for (auto it = connection.dealt.begin(); it != connection.dealt.end();) {
    if (it->join != consumer.join) {
      ++it;
      continue;
    }
    give_back(std::move(*it));
    it = connection.dealt.erase(it);
  }
  DealtSum taken;
  std::erase_if(connection.in_flight, [&](const InFlight& sent) {
    if (sent.join != consumer.join) return false;
    taken.add(sent.sum);
    return true;
  });
  post_leave(connection, id, consumer, taken, {});
}

void Groups::leave_all(Connection& connection,
                       const std::unordered_map<std::uint32_t, Consumer>& consumers) {
  const auto find_in = [&consumers](model::SubscriptionId id, std::uint64_t join) {
    const auto it = consumers.find(id.value());
    return it != consumers.end() && it->second.join == join ? &it->second : nullptr;
  };
  // What is of a consumer that is no more was its group's, and went with that.
  for (Dealt& dealt : std::exchange(connection.dealt, {})) {
    if (find_in(dealt.subscription, dealt.join) != nullptr) give_back(std::move(dealt));
  }
  std::unordered_map<std::uint64_t, DealtSum> lost;  // by join
  for (const InFlight& sent : connection.in_flight) {
    if (sent.join != 0) lost[sent.join].add(sent.sum);
  }
  std::erase_if(connection.in_flight, [](const InFlight& sent) { return sent.join != 0; });
  for (const auto& [id, consumer] : consumers) {
    if (!consumer.shared) continue;
    const auto it = lost.find(consumer.join);
    post_leave(connection, model::SubscriptionId(id), consumer, {},
               it == lost.end() ? DealtSum{} : it->second);
  }
}

void Groups::post_leave(const Connection& connection, model::SubscriptionId id,
                        const Consumer& consumer, const DealtSum& taken, const DealtSum& lost) {
  if (!consumer.joined) return;  // on_joined will find nobody and leave then
  GroupLeaveLetter letter{
      consumer.queue, {core_.id, connection.id, id, consumer.join}, consumer.taken, lost};
  letter.taken.add(taken);
  if (consumer.home == core_.id) {
    on_leave(letter);
  } else {
    post(consumer.home, letter);
  }
}

void Groups::give_back(Dealt&& dealt) {
  GroupReturnLetter letter;
  letter.group = dealt.group;
  if (auto* delivery = std::get_if<queue::Delivery>(&dealt.item)) {
    letter.topic = core_.topics.name(delivery->slice.topic);
    delivery->slice.topic = {};
  }
  letter.item = std::move(dealt.item);
  if (dealt.home == core_.id) {
    on_return(std::move(letter));
  } else {
    post(dealt.home, std::move(letter));
  }
}

void Groups::on_expelled(const GroupExpelledLetter& letter) {
  Connection* connection = core_.find(letter.member.connection);
  if (find(connection, letter.member) == nullptr) return;
  // The group is gone with its queue: what was dealt and not sent goes with the connection.
  connection->consumers.erase(letter.member.subscription.value());
  const base::Error error{ErrorCode::kSlowConsumer, letter.detail};
  protocol::native::encode_error(connection->control, error, 0, letter.member.subscription.value());
  core_.close(*connection, metrics::CloseReason::kSlowConsumer, &error);
}

void Groups::on_item(model::ShardId from, GroupItemLetter&& letter) {
  Connection* connection = core_.find(letter.member.connection);
  Consumer* consumer = find(connection, letter.member);
  if (consumer == nullptr) {
    post(from, GroupReturnLetter{letter.group, letter.topic, std::move(letter.item)});
    return;
  }
  if (auto* delivery = std::get_if<queue::Delivery>(&letter.item)) {
    delivery->slice.topic = core_.topics.intern(letter.topic);
  }
  take_in(
      *connection, *consumer,
      {letter.member.subscription, letter.member.join, letter.group, from, std::move(letter.item)});
}

void Groups::take_in(Connection& connection, Consumer& consumer, Dealt&& dealt) {
  if (const auto* delivery = std::get_if<queue::Delivery>(&dealt.item)) {
    ASSERT(consumer.granted.messages >= delivery->slice.count);
    consumer.granted.messages -= delivery->slice.count;
    consumer.granted.bytes -= delivery->slice.records;
  }
  connection.dealt.push_back(std::move(dealt));
  core_.touch(connection);
}

// --- The home's side -----------------------------------------------------------------------

void Groups::on_join(model::ShardId from, GroupJoinLetter&& letter) {
  GroupJoinedLetter answer_letter;
  answer_letter.member = letter.member;
  const auto known = by_name_.find(letter.spec.group);
  if (known != by_name_.end()) {
    const Subscription& group = subscriptions_.at(known->second);
    if (group.filters != letter.spec.filters || !same(group.queue.bounds(), letter.spec.bounds) ||
        queue::format_ladder(group.queue.ladder()) != queue::format_ladder(letter.spec.ladder)) {
      answer_letter.error = ErrorCode::kGroupMismatch;
      answer_letter.detail = "group " + letter.spec.group;
      answer(from, std::move(answer_letter));
      return;
    }
  }
  Subscription* group = nullptr;
  if (known == by_name_.end()) {
    group = &subscriptions_.create({letter.spec.bounds, letter.spec.ladder, letter.spec.filters});
    group->group = std::make_unique<Group>();
    group->group->name = letter.spec.group;
    group->active = group->awaited == 0;
    by_name_.emplace(letter.spec.group, group->slot);
  } else {
    group = &subscriptions_.at(known->second);
  }
  group->group->members.add({letter.member, letter.member_name, letter.credit});
  answer_letter.group = {group->slot, group->serial};
  answer_letter.bounds = group->queue.bounds();
  answer_letter.ladder = group->queue.ladder();
  answer_letter.next_sequence = group->queue.next_sequence();
  if (group->active) {
    answer(from, std::move(answer_letter));
    wake(*group);
  } else {
    group->group->joining.emplace_back(from, std::move(answer_letter));
  }
}

void Groups::activate(Subscription& group) {
  // Who has left meanwhile leaves the group as well, and the last of them ends it.
  const GroupRef ref{group.slot, group.serial};
  for (auto& [shard, letter] : std::exchange(group.group->joining, {})) {
    answer(shard, std::move(letter));
  }
  if (Subscription* alive = find(ref)) wake(*alive);
}

void Groups::answer(model::ShardId to, GroupJoinedLetter&& letter) {
  if (to == core_.id) {
    on_joined(core_.id, std::move(letter));
  } else {
    post(to, std::move(letter));
  }
}

void Groups::on_news(const GroupNewsLetter& letter) {
  Subscription* group = find(letter.group);
  if (group == nullptr) return;  // what was dealt is accounted for
  if (letter.taken.messages > 0) {
    {
      LedgerScope scope(core_, *group);
      group->queue.release_in_flight(letter.taken.messages, letter.taken.bytes);
    }
    subscriptions_.schedule(*group);  // what waits there may go on
  }
  const bool paced = group->group->members.pace(letter.member, letter.paced_by);
  if (paced) core_.states.update(*group);
  if (group->group->members.grant(letter.member, letter.granted)) wake(*group);
}

void Groups::on_leave(const GroupLeaveLetter& letter) {
  Subscription* group = find(letter.group);
  if (group == nullptr) return;
  {
    LedgerScope scope(core_, *group);
    group->queue.release_in_flight(letter.taken.messages, letter.taken.bytes);
    group->queue.discard_in_flight(letter.lost.messages, letter.lost.bytes);
  }
  subscriptions_.schedule(*group);
  group->group->members.remove(letter.member);
  if (group->group->members.empty()) release(*group, model::EndReason::kLastMemberLeft);
}

void Groups::release(Subscription& group, model::EndReason why) {
  by_name_.erase(group.group->name);
  subscriptions_.destroy(group.slot, why);
}

void Groups::on_return(GroupReturnLetter&& letter) {
  Subscription* group = find(letter.group);
  if (group == nullptr) return;  // it was discarded with its queue, as all that was in flight
  {
    LedgerScope scope(core_, *group);  // a gap that comes back is memory as well
    if (auto* delivery = std::get_if<queue::Delivery>(&letter.item)) {
      const model::Slice& slice = delivery->slice;
      group->queue.release_in_flight(slice.count,
                                     std::uint64_t{slice.records} + queue::kSliceOverhead);
      delivery->slice.topic = core_.topics.intern(letter.topic);
      group->queue.put_back(delivery->slice, delivery->sequence, core_.now, delivery->deadline);
    } else if (const auto* gap = std::get_if<queue::Gap>(&letter.item)) {
      group->queue.put_back(*gap);
    }
  }
  wake(*group);
}

void Groups::wake(Subscription& group) {
  if (group.group->woken || !group.active || group.queue.empty()) return;
  group.group->woken = true;
  woken_.push_back({group.slot, group.serial});
}

void Groups::deal() {
  for (const GroupRef& ref : std::exchange(woken_, {})) {
    Subscription* group = find(ref);
    if (group == nullptr) continue;
    group->group->woken = false;
    deal(*group);
    core_.states.update(*group);
    if (group->queue.is_timed()) subscriptions_.schedule(*group);
  }
}

void Groups::deal(Subscription& group) {
  GroupMembers& members = group.group->members;
  while (!group.queue.empty()) {
    const std::uint64_t open = members.open();
    if (open == 0) return;
    const std::uint64_t queued = group.queue.ledger().queued;
    const std::uint64_t share = std::max<std::uint64_t>(1, (queued + open - 1) / open);
    const auto limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(share, UINT32_MAX));
    for (std::uint64_t i = 0; i < open; ++i) {
      Member& member = members.first();
      queue::Item item;
      std::uint32_t let = limit;
      if (group.is_held(core_.now)) return;
      if (core_.limiting != nullptr) {
        let = std::min(limit, core_.limiting->let_out(group, member.credit));
        if (let == 0) return;  // a timer wakes it
      }
      if (group.rehearsed != nullptr) let = std::min(let, std::uint32_t{1});
      {
        LedgerScope scope(core_, group);
        item = group.queue.deal(member.credit, core_.now, let);
      }
      if (core_.limiting != nullptr) core_.limiting->went(item);
      subscriptions_.settle(group);
      if (std::holds_alternative<std::monostate>(item)) return;
      if (std::holds_alternative<queue::Delivery>(item)) group.note_delivery(core_.now);
      if (group.rehearsed != nullptr) subscriptions_.schedule(group);
      deliver(group, member, std::move(item));
      members.first_was_dealt_to();
    }
  }
}

void Groups::deliver(Subscription& group, Member& member, queue::Item&& item) {
  if (member.key.shard == core_.id) {
    Connection* connection = core_.find(member.key.connection);
    Consumer* consumer = find(connection, member.key);
    ASSERT(consumer != nullptr);
    take_in(*connection, *consumer,
            {member.key.subscription,
             member.key.join,
             {group.slot, group.serial},
             core_.id,
             std::move(item)});
    return;
  }
  GroupItemLetter letter;
  letter.member = member.key;
  letter.group = {group.slot, group.serial};
  if (auto* delivery = std::get_if<queue::Delivery>(&item)) {
    letter.topic = core_.topics.name(delivery->slice.topic);
    delivery->slice.topic = {};
  }
  letter.item = std::move(item);
  post(member.key.shard, std::move(letter));
}

void Groups::disconnect(Subscription& group) {
  // Each member is told as for a plain subscription; the last one out releases the group.
  std::vector<MemberKey> members;
  group.group->members.each([&members](const Member& one) { members.push_back(one.key); });
  const std::string name = group.group->name;
  release(group, model::EndReason::kSlowConsumer);
  for (const MemberKey& member : members) {
    GroupExpelledLetter letter{member, "shared subscription " + name + " is full"};
    if (member.shard == core_.id) {
      on_expelled(letter);
    } else {
      post(member.shard, std::move(letter));
    }
  }
}

}  // namespace sluice::shard
