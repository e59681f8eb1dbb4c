#include "tests/sim/scenario.h"

namespace sluice::sim {

using testing::TestLink;

namespace {

constexpr std::uint32_t kFirstSharedId = 1000;
constexpr std::size_t kActorsMax = 8;

testing::HarnessOptions harness_options(base::Random& random, std::uint64_t seed) {
  testing::HarnessOptions options;
  options.shards = static_cast<std::uint16_t>(1 + random.below(3));
  options.seed = seed;
  options.options.max_topics = static_cast<std::uint32_t>(random.below(2) == 0 ? 3 : 1000);
  options.options.output_high = random.below(2) == 0 ? 400 : 1U << 20;
  options.options.slab_bytes = 32U << 10;
  options.options.mailbox_entries = random.below(3) == 0 ? 2 : 4096;
  return options;
}

}  // namespace

Scenario::Scenario(std::uint64_t seed)
    : random_(seed),
      broker_(std::make_unique<testing::ShardHarness>(harness_options(random_, seed))) {}

void Scenario::run() {
  for (std::size_t i = 0; i < 3; ++i) connect();
  const std::size_t steps = 40 + random_.below(200);
  for (std::size_t i = 0; i < steps; ++i) {
    act();
    if (chance(60)) broker_->turn(random_.below(broker_->size()), 1 + random_.below(500));
    if (chance(15)) let_time_pass();
  }
  come_to_rest();
}

void Scenario::act() {
  Actor& actor = somebody();
  if (actor.left || actor.client->gone()) {
    if (actors_.size() < kActorsMax) connect();
    return;
  }
  const std::uint64_t dice = random_.below(100);
  if (dice < 50) return publish(actor);
  if (dice < 62) return subscribe(actor);
  if (dice < 69) return subscribe_shared(actor);
  if (dice < 75) return unsubscribe(actor);
  if (dice < 88) return credit(actor);
  if (dice < 95) return change_link(actor);
  if (dice < 97) return leave(actor);
  if (actors_.size() < kActorsMax) connect();
}

void Scenario::connect() {
  auto actor = std::make_unique<Actor>();
  actor->client = &broker_->connect_silently(random_.below(broker_->size()));
  actor->client->hello("c" + std::to_string(actors_.size()));
  actors_.push_back(std::move(actor));
}

std::string Scenario::topic() {
  constexpr const char* kTopics[] = {"a", "a.b", "a.c", "b.c.d"};
  return kTopics[random_.below(4)];
}

std::string Scenario::filter() {
  constexpr const char* kFilters[] = {"a", "a.b", "a.*", ">", "b.>", "*.c.*", "a.>"};
  return kFilters[random_.below(7)];
}

std::string Scenario::ladder() {
  constexpr const char* kLadders[] = {"drop_oldest",
                                      "drop_newest",
                                      "reject",
                                      "disconnect",
                                      "block",
                                      "block:50ms,drop_oldest",
                                      "block:20ms,drop_newest",
                                      "block:10ms,reject",
                                      "block:30ms,disconnect"};
  return kLadders[random_.below(9)];
}

void Scenario::publish(Actor& actor) {
  const std::string to = topic();
  testing::PublishOptions what;
  Published published;
  const std::size_t count = 1 + random_.below(4);
  for (std::size_t i = 0; i < count; ++i) {
    // Numbers rise over all publishes, so also per publisher and topic.
    what.payloads.push_back(std::to_string(++payloads_) + std::string(random_.below(60), '.'));
  }
  if (chance(10)) what.flags = wire::kPublishReceiptNone;
  if (chance(10)) what.flags |= wire::kPublishNeedResponders;
  if (chance(15)) what.need.accept_all = true;
  if (chance(5)) what.need.names = {"named"};
  if (chance(10)) {
    what.deadline_ns =
        base::to_wire(broker_->clock().wall_now() + std::chrono::milliseconds(random_.below(60)));
  }
  if (chance(20)) what.compression = wire::Compression::kLz4;
  published.payloads = what.payloads;
  published.wants_receipt = (what.flags & wire::kPublishReceiptNone) == 0;
  published.needs_all = what.need.accept_all;
  actor.published.emplace(actor.client->publish(to, what), std::move(published));
}

void Scenario::subscribe(Actor& actor) {
  testing::SubscribeOptions what;
  what.id = actor.next_id++;
  what.filters = {filter()};
  if (chance(30)) what.filters.push_back(filter());
  what.overflow = ladder();
  what.max_messages = static_cast<std::uint32_t>(1 + random_.below(8));
  if (chance(20)) what.max_bytes = 200 + random_.below(1000);
  if (chance(20)) what.max_lag_ns = 1 + random_.below(40'000'000);
  what.credit = random_.below(10);
  if (chance(20)) what.name = "named";
  actor.subscriptions.push_back(what.id);
  actor.client->subscribe(what);
}

void Scenario::subscribe_shared(Actor& actor) {
  const std::uint64_t which = random_.below(3);
  testing::SubscribeOptions what;
  what.id = kFirstSharedId + static_cast<std::uint32_t>(which);
  what.group = "g" + std::to_string(which);
  what.filters = {which == 0 ? ">" : "a.*"};
  what.overflow = which == 1 ? "block:20ms,drop_newest" : which == 2 ? "reject" : "drop_oldest";
  what.max_messages = 6;
  what.credit = random_.below(10);
  actor.groups[what.id] = what.group;
  actor.client->subscribe(what);  // refused as a duplicate when it is a member already
}

void Scenario::unsubscribe(Actor& actor) {
  if (chance(50) && !actor.groups.empty()) {
    actor.client->unsubscribe(actor.groups.begin()->first);
  } else if (!actor.subscriptions.empty()) {
    actor.client->unsubscribe(actor.subscriptions[random_.below(actor.subscriptions.size())]);
  }
}

void Scenario::credit(Actor& actor) {
  const std::uint64_t messages = 1 + random_.below(8);
  for (const std::uint32_t id : actor.subscriptions) {
    if (chance(40)) actor.client->credit(id, messages, 1 + random_.below(400));
  }
  for (const auto& [id, group] : actor.groups) actor.client->credit(id, messages);
}

void Scenario::change_link(Actor& actor) {
  TestLink& link = actor.client->link();
  link.set_room(chance(50) ? TestLink::kNoEnd : random_.below(600));
}

void Scenario::leave(Actor& actor) {
  actor.left = true;
  if (chance(50)) {
    actor.client->half_close();
  } else {
    actor.client->vanish();
  }
}

void Scenario::let_time_pass() {
  broker_->clock().advance(std::chrono::microseconds(random_.below(20000)));
  if (chance(30)) broker_->pass(std::chrono::milliseconds(random_.below(30)));
}

// Everybody reads fast and grants all: whatever was published finds its end.
void Scenario::come_to_rest() {
  for (const auto& actor : actors_) actor->client->link().set_room(TestLink::kNoEnd);
  broker_->run();
  for (const auto& actor : actors_) {
    for (const std::uint32_t id : actor->subscriptions) actor->client->credit(id, 100000);
    for (const auto& [id, group] : actor->groups) actor->client->credit(id, 100000);
  }
  broker_->pass(std::chrono::seconds(1));
}

}  // namespace sluice::sim
