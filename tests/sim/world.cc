#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>

#include "tests/support/slow_spill_store.h"

namespace sluice::sim {

using testing::TestLink;

namespace {

// So many turns without rest mean that shards keep one another busy for ever.
constexpr std::size_t kTurnsMax = 20000;
constexpr std::size_t kReadMost = 64U << 10;

testing::HarnessOptions harness_options(const Plan& plan, const RunOptions& run) {
  testing::HarnessOptions options;
  options.shards = plan.profile.shards;
  options.seed = plan.seed;
  options.options = plan.profile.options;
  options.check = run.check_invariants;
  options.memory_budget = plan.profile.memory_budget;
  if (!plan.profile.slow_spill) return options;
  testing::SpillFaults faults;
  if (!plan.profile.faults) faults.lost_percent = 0;
  options.make_spill = [seed = plan.seed, faults](std::uint16_t shard, std::function<void()> wake) {
    return std::make_unique<testing::SlowSpillStore>(seed * 100 + shard, faults, std::move(wake));
  };
  return options;
}

}  // namespace

World::World(const Plan& plan, const RunOptions& options)
    : plan_(plan),
      options_(options),
      broker_(std::make_unique<testing::ShardHarness>(harness_options(plan, options))),
      checkers_(make_checkers()),
      stalled_until_(plan.profile.shards),
      mail_late_until_(plan.profile.shards) {}

std::vector<Finding> World::run() {
  say("seed " + std::to_string(plan_.seed) + ": " + describe(plan_.profile));
  if (plan_.profile.limits) set_limits();
  for (const Step& step : plan_.steps) {
    ++steps_taken_;
    take(step);
    if (!findings_.empty()) return findings_;
  }
  ++steps_taken_;
  come_to_rest();
  if (!findings_.empty()) return findings_;
  ++steps_taken_;
  end_all();
  return findings_;
}

template <typename Look>
void World::check(Look look) {
  for (const auto& checker : checkers_) {
    look(*checker);
    for (Finding& finding : checker->take_findings()) {
      say("BROKEN " + finding.checker + ": " + finding.text);
      findings_.push_back(std::move(finding));
    }
  }
}

void World::say(const std::string& text) {
  if (options_.trace) std::printf("%s\n", text.c_str());
}

// --- Network and scheduler -----------------------------------------------------------------

void World::take_network_step(Act act, Draw& draw) {
  const auto soon = [&](std::uint64_t ms) {
    return broker_->clock().now() + std::chrono::microseconds(draw.below(ms * 1000));
  };
  const std::size_t shard = draw.below(broker_->size());
  const std::string where = std::string(name_of(act)) + " shard " + std::to_string(shard);
  switch (act) {
    case Act::kStall:
      say(where);
      stalled_until_[shard] = soon(40);
      return;
    case Act::kLateMail:
      say(where);
      mail_late_until_[shard] = soon(20);
      return;
    case Act::kTurn:
      turn(shard, 1 + draw.below(500));
      return;
    case Act::kPass:
      return pass(std::chrono::microseconds(draw.below(draw.chance(30) ? 50000 : 5000)));
    case Act::kDrain:
      return drain();
    default:
      return settle();
  }
}

bool World::turn(std::size_t shard, std::size_t read_most) {
  const base::MonotonicTime now = broker_->clock().now();
  if (stalled_until_[shard] > now) return false;
  ++stamp_;
  const bool busy = broker_->turn(shard, {.reads =
                                              [&](const testing::TestClient& client) {
                                                const Actor& actor =
                                                    history_.actors[actor_of_.at(&client)];
                                                const bool silent = actor.silent_until > now;
                                                return silent ? std::size_t{0} : read_most;
                                              },
                                          .mail = mail_late_until_[shard] <= now});
  listen(shard);
  check([&](Checker& checker) { checker.after_turn(*this, shard); });
  return busy;
}

bool World::held_back() const {
  const base::MonotonicTime now = broker_->clock().now();
  const auto later = [now](base::MonotonicTime time) { return time > now; };
  for (std::size_t i = 0; i < broker_->size(); ++i) {
    // A letter that found its mailbox full is posted again a little later.
    if (broker_->shard(i).core().mail.waiting() > 0) return true;
  }
  return std::any_of(stalled_until_.begin(), stalled_until_.end(), later) ||
         std::any_of(mail_late_until_.begin(), mail_late_until_.end(), later);
}

void World::settle() {
  say("settle");
  std::size_t quiet = 0;
  for (std::size_t turns = 0; quiet < broker_->size() && findings_.empty(); ++turns) {
    if (turns == kTurnsMax) {
      findings_.push_back({"progress", "shards keep one another busy for ever"});
      return;
    }
    quiet = turn(turns % broker_->size(), kReadMost) ? 0 : quiet + 1;
  }
  if (held_back() || !findings_.empty()) return;
  check([&](Checker& checker) { checker.when_quiet(*this); });
}

base::MonotonicTime World::next_time(base::MonotonicTime end) const {
  const base::MonotonicTime now = broker_->clock().now();
  base::MonotonicTime next = end;
  const auto earlier = [&](base::MonotonicTime time) {
    if (time > now) next = std::min(next, time);
  };
  for (std::size_t i = 0; i < broker_->size(); ++i) {
    // A shard that does not run keeps no appointment, so none of its own moves the clock.
    const base::MonotonicTime runs_from = std::max(stalled_until_[i], now + base::Duration(1));
    earlier(std::max(broker_->shard(i).next_time(), runs_from));
    earlier(stalled_until_[i]);
    earlier(mail_late_until_[i]);
  }
  for (const Actor& actor : history_.actors) earlier(actor.silent_until);
  return next;
}

void World::pass(base::Duration time) {
  say("pass " + std::to_string(time.count() / 1000) + " us");
  const base::MonotonicTime end = broker_->clock().now() + time;
  while (findings_.empty()) {
    settle();
    const base::MonotonicTime now = broker_->clock().now();
    if (now >= end) return;
    broker_->clock().advance(next_time(end) - now);
  }
}

void World::drain() {
  say("drain");
  history_.drained = true;
  for (std::size_t i = 0; i < broker_->size(); ++i) {
    broker_->shard(i).start_drain(std::chrono::seconds(5));
  }
}

void World::lift_faults() {
  for (Actor& actor : history_.actors) {
    actor.client->link().set_room(TestLink::kNoEnd);
    actor.slow = false;
    actor.silent_until = {};
  }
  std::fill(stalled_until_.begin(), stalled_until_.end(), base::MonotonicTime{});
  std::fill(mail_late_until_.begin(), mail_late_until_.end(), base::MonotonicTime{});
}

void World::set_limits() {
  Draw draw(plan_.seed ^ 0x22);
  for (std::uint64_t i = 0; i < 3; ++i) {
    model::LimitSpec spec;
    spec.name = "limit" + std::to_string(i);
    spec.level = static_cast<model::LimitLevel>(draw.below(6));
    spec.direction = static_cast<model::LimitDirection>(draw.below(2));
    spec.enforce = static_cast<model::LimitEnforce>(draw.below(3));
    spec.messages_per_second = 20 + draw.below(2000);
    if (draw.chance(50)) spec.burst_messages = 1 + draw.below(20);
    static_cast<void>(limits_.set(spec, broker_->clock().now()));  // some make no sense
  }
  broker_->set_limits(limits_.table());
}

void World::lift_limits() {
  for (int i = 0; i < 3; ++i) {
    static_cast<void>(limits_.remove("limit" + std::to_string(i), broker_->clock().now()));
  }
  broker_->set_limits(limits_.table());
}

// Everybody reads fast and grants all: whatever was published finds its end.
void World::come_to_rest() {
  say("come to rest");
  lift_faults();
  if (plan_.profile.limits) lift_limits();
  settle();
  for (Actor& actor : history_.actors) {
    if (!actor.acts()) continue;
    for (const std::size_t place : actor.subscriptions) {
      Subscribed& subscribed = history_.subscriptions[place];
      if (subscribed.end_said == kNotYet) credit(actor, subscribed, 100000, 1U << 24);
    }
  }
  pass(std::chrono::seconds(1));
  if (findings_.empty()) check([&](Checker& checker) { checker.at_rest(*this); });
}

void World::end_all() {
  say("end all");
  Draw draw(plan_.seed);
  for (Actor& actor : history_.actors) {
    if (!actor.acts()) continue;
    for (const std::size_t place : actor.subscriptions) {
      Subscribed& subscribed = history_.subscriptions[place];
      if (subscribed.end_said == kNotYet && draw.chance(50)) unsubscribe(actor, subscribed);
    }
  }
  settle();
  if (history_.drained) {
    for (std::size_t i = 0; i < broker_->size(); ++i) broker_->shard(i).close_all();
  }
  for (Actor& actor : history_.actors) {
    if (actor.acts()) leave(actor, draw, draw.chance(50));
  }
  pass(std::chrono::seconds(6));
  if (findings_.empty()) check([&](Checker& checker) { checker.at_end(*this); });
}

// --- Listening -----------------------------------------------------------------------------

void World::listen(std::size_t shard) {
  for (Actor& actor : history_.actors) {
    if (actor.client->shard_id().value() != shard) continue;
    const std::string heard = actor.client->heard();
    if (heard.empty()) continue;
    for (const char c : heard) {
      fingerprint_ = (fingerprint_ ^ static_cast<std::uint8_t>(c)) * 1099511628211U;
    }
    if (options_.trace) say("  " + actor.name + " hears\n" + heard);
    for (const std::size_t place : actor.subscriptions) {
      Subscribed& subscribed = history_.subscriptions[place];
      if (subscribed.heard == kNotYet && actor.client->subscribed(subscribed.id)) {
        subscribed.heard = stamp_;
      }
      if (subscribed.end_heard == kNotYet && actor.client->accounts().contains(subscribed.id)) {
        subscribed.end_heard = stamp_;
      }
    }
    hear_receipts(actor);
  }
  for (Actor& actor : history_.actors) hear_gone(actor);
}

void World::hear_gone(Actor& actor) {
  if (actor.gone != kNotYet || !actor.client->gone()) return;
  actor.gone = stamp_;
  for (const std::size_t place : actor.subscriptions) {
    Subscribed& subscribed = history_.subscriptions[place];
    subscribed.end_heard = std::min(subscribed.end_heard, stamp_);
  }
}

void World::hear_receipts(Actor& actor) {
  const auto& rows = actor.client->receipts();
  for (; actor.receipts_read < rows.size(); ++actor.receipts_read) {
    const testing::ReceiptRow& row = rows[actor.receipts_read];
    auto it = actor.publishes.lower_bound(row.first);
    for (; it != actor.publishes.end() && it->first <= row.last; ++it) {
      Published& published = history_.publishes[it->second];
      if (published.never_told()) continue;
      published.heard = std::min(published.heard, stamp_);
      published.row = actor.receipts_read;
      ++published.receipts;
    }
  }
}

}  // namespace sluice::sim
