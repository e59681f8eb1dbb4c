// The part of Publishing that holds back what limits delay.
//
// A publish that has to wait stands in its window's `parked`, and behind it what comes to the same
// window later, each with the time at which it is due. A window whose first one waits has exactly
// one entry in `delayed_`.

#include "broker/config/memory_costs.h"
#include "broker/shard/heap_bytes.h"
#include "broker/shard/limiting.h"
#include "broker/shard/publishing.h"
#include "libs/base/assert.h"

namespace sluice::shard {

namespace {

flow::Offer offer_of(const Publish& publish, base::MonotonicTime now) {
  return {publish.slice.count, publish.slice.records, now, publish.deadline};
}

}  // namespace

void Publishing::park(Connection& connection, Window& window, Publish&& publish) {
  count_parked(publish, true);
  window.parked.push_back(std::move(publish));
  if (!window.settling && window.delayed_by == 0) hold(connection, window);
}

void Publishing::count_parked(const Publish& publish, bool comes) {
  std::uint64_t bytes = config::kPublishBytes;
  for (const std::string& name : publish.need_names) {
    bytes += sizeof(std::string) + heap_bytes(name);
  }
  parked_count_ += comes ? 1 : static_cast<std::size_t>(-1);
  parked_bytes_ += comes ? bytes : ~bytes + 1;
}

std::uint64_t Publishing::memory_bytes() const noexcept {
  return pending_count_ * config::kPublishBytes + parked_bytes_;
}

// The first of what is parked is not due yet.
void Publishing::hold(Connection& connection, Window& window) {
  ASSERT(window.delayed_by == 0 && !window.parked.empty());
  const Publish& first = window.parked.front();
  window.delayed_by = first.delayed_by;
  window.due = std::chrono::ceil<std::chrono::milliseconds>(first.due);
  const std::uint32_t topic = window_id(connection, window, first);
  delayed_.insert({window.due, connection.id.value(), topic});
  core_.states.update(connection, window, topic);
}

void Publishing::unhold(Connection& connection, Window& window, std::uint32_t topic) {
  if (window.delayed_by == 0) return;
  delayed_.erase({window.due, connection.id.value(), topic});
  window.delayed_by = 0;
}

void Publishing::on_time() {
  while (!delayed_.empty() && delayed_.begin()->due <= core_.now) {
    const DelayedWindow next = *delayed_.begin();
    Connection* connection = core_.find(model::ConnectionId(next.connection));
    Window* window = connection != nullptr ? find_window(*connection, next.topic) : nullptr;
    if (window == nullptr) {
      delayed_.erase(delayed_.begin());  // its connection is closing; forget() gives back
      continue;
    }
    unhold(*connection, *window, next.topic);
    unpark(*connection, *window);
    core_.states.update(*connection, *window, next.topic);
  }
}

base::MonotonicTime Publishing::next_time() const {
  return delayed_.empty() ? base::kNever : delayed_.begin()->due;
}

// One that is withdrawn while it waits gives back what it was charged.
void Publishing::drop_parked(Connection& connection, Window& window, std::uint32_t topic,
                             std::list<Publish>::iterator parked) {
  if (parked->charged != nullptr) parked->charged->give_back();
  const bool first = parked == window.parked.begin();
  count_parked(*parked, false);
  window.parked.erase(parked);
  if (!first || window.delayed_by == 0) return;
  unhold(connection, window, topic);
  unpark(connection, window);
  core_.states.update(connection, window, topic);
}

void Publishing::forget(Connection& connection) {
  if (core_.limiting != nullptr) core_.limiting->forget(connection);
  const auto drop = [&](Window& window, std::uint32_t topic) {
    unhold(connection, window, topic);
    for (const Publish& publish : window.parked) {
      if (publish.charged != nullptr) publish.charged->give_back();
      count_parked(publish, false);
    }
    window.parked.clear();
  };
  drop(connection.named, 0);
  for (auto& [topic, open] : connection.topics) drop(open.window, topic);
}

std::set<Publishing::DelayedWindow> Publishing::parked_windows() const {
  std::set<DelayedWindow> parked;
  const auto look = [&parked](model::ConnectionId id, const Window& window, std::uint32_t topic) {
    if (!window.parked.empty()) parked.insert({window.parked.front().due, id.value(), topic});
  };
  for (const auto& [id, connection] : core_.connections) {
    if (connection->state >= ConnectionState::kClosing) continue;
    look(connection->id, connection->named, 0);
    for (const auto& [topic, open] : connection->topics) look(connection->id, open.window, topic);
  }
  return parked;
}

// What waits is charged anew, in the order in which it came: also what stands behind a publish that
// shards are still to agree on, where no limit holds the window itself.
void Publishing::recharge() {
  const std::set<DelayedWindow> parked = parked_windows();
  delayed_.clear();
  const auto each = [&](auto visit) {
    for (const DelayedWindow& key : parked) {
      Connection* connection = core_.find(model::ConnectionId(key.connection));
      Window* window = connection != nullptr ? find_window(*connection, key.topic) : nullptr;
      if (window != nullptr) visit(*connection, *window, key.topic);
    }
  };
  each([this](Connection&, Window& window, std::uint32_t) {
    window.delayed_by = 0;
    for (Publish& publish : window.parked) {
      if (publish.due <= core_.now) continue;  // it is through
      if (publish.charged != nullptr) publish.charged->give_back();
      publish.charged.reset();
    }
  });
  each([this](Connection& connection, Window& window, std::uint32_t) {
    for (Publish& publish : window.parked) charge_again(connection, publish);
  });
  each([this](Connection& connection, Window& window, std::uint32_t topic) {
    unpark(connection, window);
    core_.states.update(connection, window, topic);
  });
}

void Publishing::charge_again(Connection& connection, Publish& publish) {
  if (publish.due <= core_.now) return;
  publish.due = core_.now;
  if (core_.limiting == nullptr) return;
  const flow::LimitLists lists = core_.limiting->in(connection, publish.slice.topic);
  const flow::Offer offer = offer_of(publish, core_.now);
  const flow::Verdict verdict = flow::charge(lists, offer, true);
  if (verdict.kind == flow::Verdict::Kind::kPass) return;
  publish.delayed_by = verdict.by->limit->number;
  // Expired: it waits for that in its place, and route() says so.
  publish.due = std::min(verdict.when, publish.deadline);
  if (verdict.kind == flow::Verdict::Kind::kDelay) {
    publish.charged = std::make_unique<flow::Charged>(flow::charged(lists, offer));
  }
}

void Publishing::check_invariants() const {
  for (const DelayedWindow& held : delayed_) {
    Connection* connection = core_.find(model::ConnectionId(held.connection));
    const Window* window = connection != nullptr ? find_window(*connection, held.topic) : nullptr;
    if (window == nullptr) continue;  // closing
    ASSERT(window->delayed_by != 0 && window->due == held.due && !window->settling);
    ASSERT(!window->parked.empty());
  }
  const auto check = [this](const Connection& connection, const Window& window,
                            std::uint32_t topic) {
    ASSERT(window.delayed_by == 0 || delayed_.contains({window.due, connection.id.value(), topic}));
    ASSERT(window.parked.empty() || window.settling || window.delayed_by != 0);
  };
  std::size_t parked = 0;
  for (const auto& [id, connection] : core_.connections) {
    parked += connection->named.parked.size();
    for (const auto& [topic, open] : connection->topics) parked += open.window.parked.size();
    if (connection->state >= ConnectionState::kClosing) continue;
    check(*connection, connection->named, 0);
    for (const auto& [topic, open] : connection->topics) check(*connection, open.window, topic);
  }
  ASSERT(parked == parked_count_ && (parked > 0 || parked_bytes_ == 0));
}

}  // namespace sluice::shard
