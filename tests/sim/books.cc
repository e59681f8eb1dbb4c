#include "tests/sim/books.h"

#include <algorithm>

namespace sluice::sim {

void add(queue::Ledger& sum, const queue::Ledger& more) {
  sum.matched += more.matched;
  sum.delivered += more.delivered;
  sum.queued += more.queued;
  sum.waiting += more.waiting;
  sum.in_flight += more.in_flight;
  sum.spilled += more.spilled;
  sum.discarded += more.discarded;
  for (std::size_t i = 0; i < queue::kGapReasons; ++i) sum.dropped[i] += more.dropped[i];
}

Books::Books(const World& world) : world_(world), history_(world.history()) {
  open_queues();
  read_ledgers();
  read_told();
  read_receipts();
}

QueueBook* Books::find(const std::string& name) {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &queues_[it->second];
}

void Books::open_queues() {
  for (std::size_t place = 0; place < history_.subscriptions.size(); ++place) {
    const Subscribed& subscribed = history_.subscriptions[place];
    const auto [it, added] = by_name_.emplace(subscribed.shown_name, queues_.size());
    if (added) {
      QueueBook& book = queues_.emplace_back();
      book.name = subscribed.shown_name;
      book.shared = !subscribed.group.empty();
      book.seen_of.resize(history_.publishes.size());
      book.refused_of.resize(history_.publishes.size());
    }
    QueueBook& book = queues_[it->second];
    book.members.push_back(place);
    if (subscribed.end_said != kNotYet || subscribed.end_heard != kNotYet) book.whole = false;
    const Actor& actor = history_.actors[subscribed.actor];
    if (actor.left || actor.gone != kNotYet) book.cut = true;
  }
}

void Books::read_ledgers() {
  const testing::ShardHarness& broker = world_.broker();
  const auto count = [this](const std::string& name, const queue::Ledger& ledger) {
    QueueBook* book = find(name);
    if (book == nullptr) return;
    add(book->ledger, ledger);
    ++book->lives;
  };
  for (std::size_t i = 0; i < broker.size(); ++i) {
    broker.shard(i).each_subscription([&](const shard::Subscription& subscription) {
      count(subscription.shown_name(), subscription.queue.ledger());
    });
    const shard::EndedSubscriptions& ended = broker.shard(i).core().ended;
    for (std::size_t back = 0; back < ended.size(); ++back) {
      count(ended.newest(back).shown_name, ended.newest(back).ledger);
    }
  }
}

void Books::read_told() {
  for (QueueBook& book : queues_) {
    for (const std::size_t place : book.members) {
      const Subscribed& subscribed = history_.subscriptions[place];
      const auto& all = history_.actors[subscribed.actor].client->told();
      const auto told = all.find(subscribed.id);
      if (told == all.end()) continue;
      for (const testing::Told& each : told->second) {
        if (each.count != 0) {
          book.told[queue::index_of(each.reason)] += each.count;
          continue;
        }
        ++book.seen;
        ++book.seen_of[history_.publish_of[message_number(each.payload)]];
      }
    }
  }
}

void Books::read_receipts() {
  for (std::size_t place = 0; place < history_.publishes.size(); ++place) {
    const Published& published = history_.publishes[place];
    if (published.receipts == 0) continue;
    for (const testing::Refused& refused : row(published).refused) {
      QueueBook* book = find(refused.name);
      if (book == nullptr || refused.reason == 0 || refused.reason > queue::kGapReasons) continue;
      book->refused[refused.reason - 1U] += refused.copies;
      book->refused_of[place] += refused.copies;
    }
  }
}

const testing::ReceiptRow& Books::row(const Published& published) const {
  return history_.actors[published.actor].client->receipts()[published.row];
}

Outcome Books::outcome(const Published& published) const {
  if (published.receipts > 0) {
    const wire::Receipt& receipt = row(published).receipt;
    const bool accepted = receipt.status == wire::ReceiptStatus::kAccepted;
    return accepted || receipt.dropped > 0 ? Outcome::kPushed : Outcome::kNothing;
  }
  const Actor& actor = history_.actors[published.actor];
  const bool there = !actor.left && actor.gone == kNotYet;
  return there && published.told_problems() && !published.never_told() ? Outcome::kPushed
                                                                       : Outcome::kUnknown;
}

bool Books::must_match(const Published& published, const Subscribed& subscribed) const {
  if (outcome(published) != Outcome::kPushed) return false;
  if (subscribed.heard >= published.said) return false;
  const bool is_there = subscribed.end_said == kNotYet && subscribed.end_heard == kNotYet;
  // Where the broker may close the connection, it may have done so before its client left.
  const Actor& actor = history_.actors[subscribed.actor];
  const bool may_close = std::any_of(
      actor.subscriptions.begin(), actor.subscriptions.end(), [this](std::size_t place) {
        return history_.subscriptions[place].overflow.find("disconnect") != std::string::npos;
      });
  const bool was_there =
      subscribed.end_said != kNotYet && published.heard < subscribed.end_said && !may_close;
  return (is_there || was_there) && matches(subscribed.filters, published.topic);
}

bool Books::may_match(const Published& published, const Subscribed& subscribed) const {
  if (outcome(published) == Outcome::kNothing) return false;
  // A group hears of a member that left only by letter, after the member had its answer.
  const bool over = subscribed.group.empty() && subscribed.end_heard < published.said;
  if (over || published.heard < subscribed.said) return false;
  return matches(subscribed.filters, published.topic);
}

std::uint64_t Books::copies_least(const Published& published, const QueueBook& queue) const {
  const auto count = static_cast<std::uint64_t>(std::count_if(
      queue.members.begin(), queue.members.end(),
      [&](std::size_t place) { return must_match(published, history_.subscriptions[place]); }));
  return published.messages * (queue.shared ? std::min<std::uint64_t>(count, 1) : count);
}

std::uint64_t Books::copies_most(const Published& published, const QueueBook& queue) const {
  const auto count = static_cast<std::uint64_t>(std::count_if(
      queue.members.begin(), queue.members.end(),
      [&](std::size_t place) { return may_match(published, history_.subscriptions[place]); }));
  return published.messages * (queue.shared ? std::min<std::uint64_t>(count, 1) : count);
}

}  // namespace sluice::sim
