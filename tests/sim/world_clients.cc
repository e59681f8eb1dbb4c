// What clients do in a run.

#include <algorithm>

#include "tests/sim/world.h"

namespace sluice::sim {

using testing::TestLink;

namespace {

constexpr std::size_t kActorsMax = 8;
constexpr std::size_t kSubscriptionsMax = 12;  // of one client
constexpr std::size_t kMessagesMost = 4;

constexpr std::string_view kTopics[] = {"a", "a.b", "a.c", "b.c.d"};
constexpr std::string_view kFilters[] = {"a", "a.b", "a.*", ">", "b.>", "*.c.*", "a.>"};

}  // namespace

void World::take(const Step& step) {
  ++stamp_;
  Draw draw(step.number);
  switch (step.act) {
    case Act::kConnect:
      return connect(draw);
    case Act::kStall:
    case Act::kLateMail:
    case Act::kTurn:
    case Act::kPass:
    case Act::kSettle:
    case Act::kDrain:
      return take_network_step(step.act, draw);
    default:
      break;
  }
  if (history_.actors.empty()) return;
  Actor& actor = draw.one_of(history_.actors);
  if (!actor.acts()) return;
  take_client_step(step.act, actor, draw);
}

bool World::take_client_step(Act act, Actor& actor, Draw& draw) {
  const bool welcome = actor.client->session() != 0;
  switch (act) {
    case Act::kRoom:
      actor.slow = draw.chance(50);
      actor.client->link().set_room(actor.slow ? draw.below(600) : TestLink::kNoEnd);
      say(actor.name + (actor.slow ? " reads slowly" : " reads all"));
      return true;
    case Act::kSilence:
      say(actor.name + " is silent");
      actor.silent_until = broker_->clock().now() + std::chrono::microseconds(draw.below(30000));
      return true;
    case Act::kHalfClose:
    case Act::kReset:
      leave(actor, draw, act == Act::kHalfClose);
      return true;
    default:
      break;
  }
  if (!welcome) return false;
  if (act == Act::kPublish) publish(actor, draw, true);
  if (act == Act::kPublishOpen) publish(actor, draw, false);
  if (act == Act::kSubscribe) subscribe(actor, draw);
  if (act == Act::kJoin) join(actor, draw);
  if (act == Act::kUnsubscribe) unsubscribe(actor, draw);
  if (act == Act::kCredit) credit(actor, draw);
  if (act == Act::kCancel) cancel(actor, draw);
  return true;
}

void World::connect(Draw& draw) {
  if (history_.actors.size() >= kActorsMax) return;
  Actor actor;
  actor.name = "c" + std::to_string(history_.actors.size());
  const std::size_t shard = draw.below(broker_->size());
  actor.client = &broker_->connect_silently(shard);
  actor.client->hello(actor.name);
  actor_of_[actor.client] = history_.actors.size();
  say(actor.name + " connects to shard " + std::to_string(shard));
  history_.actors.push_back(std::move(actor));
}

void World::leave(Actor& actor, Draw& draw, bool politely) {
  actor.left = true;
  for (const std::size_t place : actor.subscriptions) {
    Subscribed& subscribed = history_.subscriptions[place];
    subscribed.end_said = std::min(subscribed.end_said, stamp_);
  }
  say(actor.name + (politely ? " closes its side" : " is cut off"));
  if (politely) {
    actor.client->half_close();
  } else {
    actor.client->vanish(draw.below(actor.client->unsaid_bytes() + 1));
  }
}

// --- Publishing ----------------------------------------------------------------------------

testing::PublishOptions World::draw_publish(Published& published, Draw& draw) {
  const Profile& profile = plan_.profile;
  testing::PublishOptions what;
  for (std::size_t i = 0; i < published.messages; ++i) {
    // Numbers rise over all publishes, so also per publisher and topic.
    const std::size_t number = history_.publish_of.size();
    history_.publish_of.push_back(history_.publishes.size());
    what.payloads.push_back(std::to_string(number) +
                            std::string(draw.below(profile.payload_bytes), '.'));
  }
  if (!profile.all_receipts && draw.chance(15)) what.flags = wire::kPublishReceiptNone;
  if (!profile.all_receipts && draw.chance(20)) what.flags = wire::kPublishReceiptProblems;
  if (profile.needs && draw.chance(10)) what.flags |= wire::kPublishNeedResponders;
  if (profile.needs && draw.chance(20)) published.need_all = true;
  if (profile.needs && draw.chance(20)) {
    if (draw.chance(20) || history_.subscriptions.empty()) {
      published.need_names = {"nobody"};
    } else {
      published.need_names = {draw.one_of(history_.subscriptions).shown_name};
    }
  }
  what.need.accept_all = published.need_all;
  for (const std::string& name : published.need_names) what.need.names.emplace_back(name);
  if (profile.deadlines && draw.chance(30)) {
    what.deadline_ns =
        base::to_wire(broker_->clock().wall_now() + std::chrono::microseconds(draw.below(60000)));
  }
  if (profile.compression && draw.chance(40)) what.compression = wire::Compression::kLz4;
  published.flags = what.flags;
  published.deadline_ns = what.deadline_ns;
  return what;
}

void World::publish(Actor& actor, Draw& draw, bool named) {
  const std::string topic(draw.one_of(kTopics));
  if (!named && !actor.client->opened(topic)) {
    say(actor.name + " opens " + topic);
    actor.client->open_topic(topic);
    return;
  }
  const std::size_t batch_most =
      wire::kBatchHeaderBytes + kMessagesMost * (plan_.profile.payload_bytes + 16);
  if (actor.client->window(named ? "" : topic) < batch_most) return;
  Published published;
  published.actor = actor_of_.at(actor.client);
  published.topic = topic;
  published.named = named;
  published.messages = static_cast<std::uint32_t>(1 + draw.below(kMessagesMost));
  published.said = stamp_;
  const testing::PublishOptions what = draw_publish(published, draw);
  published.number =
      named ? actor.client->publish(topic, what) : actor.client->publish_open(topic, what);
  say(actor.name + " publishes " + std::to_string(published.number) + " to " + topic + ": " +
      std::to_string(message_number(what.payloads.front())) + " and " +
      std::to_string(published.messages - 1) + " more" + (published.need_all ? ", needs all" : "") +
      (published.need_names.empty() ? "" : ", needs " + published.need_names.front()) +
      (published.deadline_ns == 0 ? "" : ", with a deadline"));
  actor.publishes.emplace(published.number, history_.publishes.size());
  history_.publishes.push_back(std::move(published));
}

void World::cancel(Actor& actor, Draw& draw) {
  if (actor.publishes.empty()) return;
  const std::size_t back = draw.below(std::min<std::size_t>(actor.publishes.size(), 10));
  const auto which = std::prev(actor.publishes.end(), static_cast<std::ptrdiff_t>(back) + 1);
  const Published& published = history_.publishes[which->second];
  if (!published.named) return;
  say(actor.name + " cancels " + std::to_string(published.number));
  ++actor.cancels;
  actor.client->cancel(published.topic, published.number);
}

// --- Subscribing ---------------------------------------------------------------------------

std::vector<std::string> World::draw_filters(Draw& draw) {
  std::vector<std::string> filters{std::string(draw.one_of(kFilters))};
  if (draw.chance(30)) filters.emplace_back(draw.one_of(kFilters));
  return filters;
}

void World::subscribe(Actor& actor, Draw& draw) {
  Subscribed asked;
  asked.filters = draw_filters(draw);
  asked.overflow = draw.one_of(plan_.profile.ladders);
  asked.max_messages = static_cast<std::uint32_t>(1 + draw.below(8));
  if (draw.chance(20)) {
    asked.max_bytes = 200 + draw.below(16 * plan_.profile.payload_bytes);
  }
  if (plan_.profile.lags && draw.chance(40)) asked.max_lag_ns = 1 + draw.below(40'000'000);
  asked.id = static_cast<std::uint32_t>(actor.subscriptions.size() + 1);
  testing::SubscribeOptions options;
  options.credit = draw.below(10);
  const std::uint64_t dice = draw.below(100);
  if (dice < 70) options.name = "s" + std::to_string(history_.subscriptions.size());
  if (dice >= 95) options.name = "twin";
  asked.shown_name =
      options.name.empty() ? actor.name + "#" + std::to_string(asked.id) : options.name;
  subscribe(actor, std::move(asked), std::move(options));
}

void World::join(Actor& actor, Draw& draw) {
  const std::uint64_t which = draw.below(4);
  Subscribed asked;
  asked.group = "g" + std::to_string(which);
  asked.shown_name = asked.group;
  // What a group is follows from its name and the seed, so that members agree.
  Draw of_group(plan_.seed * 4 + which);
  asked.filters = draw_filters(of_group);
  asked.overflow = of_group.one_of(plan_.profile.ladders);
  asked.max_messages = static_cast<std::uint32_t>(1 + of_group.below(8));
  asked.id = static_cast<std::uint32_t>(actor.subscriptions.size() + 1);
  testing::SubscribeOptions options;
  options.group = asked.group;
  options.credit = draw.below(10);
  subscribe(actor, std::move(asked), std::move(options));
}

void World::subscribe(Actor& actor, Subscribed&& asked, testing::SubscribeOptions&& options) {
  if (actor.subscriptions.size() >= kSubscriptionsMax) return;
  options.id = asked.id;
  options.filters = asked.filters;
  options.overflow = asked.overflow;
  options.max_messages = asked.max_messages;
  options.max_bytes = asked.max_bytes;
  options.max_lag_ns = asked.max_lag_ns;
  asked.actor = actor_of_.at(actor.client);
  asked.said = stamp_;
  asked.granted_messages = options.credit;
  asked.granted_bytes = options.credit == 0 ? 0 : 1U << 29;
  say(actor.name + " subscribes " + asked.shown_name + " as " + std::to_string(asked.id) + " to " +
      asked.filters.front() + ": " + asked.overflow + ", " + std::to_string(asked.max_messages) +
      " messages, " + std::to_string(asked.max_bytes) + " B, lag " +
      std::to_string(asked.max_lag_ns) + ", credit " + std::to_string(options.credit));
  actor.client->subscribe(options);
  actor.subscriptions.push_back(history_.subscriptions.size());
  history_.subscriptions.push_back(std::move(asked));
}

void World::unsubscribe(Actor& actor, Draw& draw) {
  if (actor.subscriptions.empty()) return;
  Subscribed& subscribed = history_.subscriptions[draw.one_of(actor.subscriptions)];
  if (subscribed.end_said == kNotYet) unsubscribe(actor, subscribed);
}

void World::unsubscribe(Actor& actor, Subscribed& subscribed) {
  say(actor.name + " unsubscribes " + std::to_string(subscribed.id));
  subscribed.end_said = stamp_;
  actor.client->unsubscribe(subscribed.id);
}

void World::credit(Actor& actor, Draw& draw) {
  for (const std::size_t place : actor.subscriptions) {
    Subscribed& subscribed = history_.subscriptions[place];
    const std::uint64_t messages = 1 + draw.below(8);
    const std::uint64_t bytes = 1 + draw.below(400);
    if (subscribed.end_said != kNotYet || !draw.chance(40)) continue;
    credit(actor, subscribed, messages, bytes);
  }
}

void World::credit(Actor& actor, Subscribed& subscribed, std::uint64_t messages,
                   std::uint64_t bytes) {
  say(actor.name + " grants " + std::to_string(subscribed.id) + " " + std::to_string(messages) +
      " messages, " + std::to_string(bytes) + " B");
  subscribed.granted_messages += messages;
  subscribed.granted_bytes += bytes;
  actor.client->credit(subscribed.id, messages, bytes);
}

}  // namespace sluice::sim
