#include <sluice/client.h>
#include <utility>

#include "client/src/client_core.h"
#include "client/src/publishing.h"
#include "client/src/subscription_core.h"
#include "libs/wire/topic_name.h"

namespace sluice {

using detail::Slot;

namespace {

// Topics of the broker may not be published to, except the inboxes that answers go to.
Status check_publish_topic(std::string_view topic) {
  if (Status status = wire::check_topic(topic); !status) return status;
  if (topic.starts_with('$') && !topic.starts_with("$inbox.")) {
    return base::fail(ErrorCode::kReservedTopic, std::string(topic));
  }
  return {};
}

// What a frame has room for, and the broker takes; docs/formats/wire.md, section Limits.
constexpr std::size_t kMaxNameBytes = 255;
constexpr std::size_t kMaxLadderBytes = 1024;
constexpr std::size_t kMaxFilters = 256;
constexpr std::size_t kMaxNeedNames = 16;

Status check_need(const Need& need) {
  if (need.names.size() > kMaxNeedNames) {
    return base::fail(ErrorCode::kBadArgument, "a need names at most 16 subscriptions");
  }
  for (const std::string& name : need.names) {
    if (name.empty() || name.size() > kMaxNameBytes) {
      return base::fail(ErrorCode::kBadArgument, "a name that is needed has 1 to 255 bytes");
    }
  }
  return {};
}

Status check_subscribe(const SubscribeOptions& options) {
  if (options.filters.empty() || options.filters.size() > kMaxFilters) {
    return base::fail(ErrorCode::kBadArgument, "a subscription has 1 to 256 filters");
  }
  for (const std::string& filter : options.filters) {
    if (Status status = wire::check_filter(filter); !status) return status;
  }
  if (options.name.size() > kMaxNameBytes || options.share.size() > kMaxNameBytes) {
    return base::fail(ErrorCode::kBadArgument, "a name has at most 255 bytes");
  }
  if (options.overflow.size() > kMaxLadderBytes) {
    return base::fail(ErrorCode::kBadLadder, "a ladder has at most 1024 bytes");
  }
  return {};
}

}  // namespace

std::string_view connection_state_name(ConnectionState state) noexcept {
  switch (state) {
    case ConnectionState::kConnecting:
      return "connecting";
    case ConnectionState::kConnected:
      return "connected";
    case ConnectionState::kDisconnected:
      return "disconnected";
    case ConnectionState::kDraining:
      return "draining";
    case ConnectionState::kClosed:
      return "closed";
  }
  return "unknown";
}

async::Task<Result<std::unique_ptr<Client>>> Client::connect(async::Context context,
                                                             ClientOptions options) {
  auto core = detail::ClientCore::make(std::move(options));
  if (!core) co_return base::fail(core.error());
  auto client = std::make_unique<Client>(std::move(*core));
  auto connected = std::make_shared<Slot<ServerInfo>>();
  client->core_->start(connected);
  const Result<ServerInfo> info =
      co_await Slot<ServerInfo>::wait(std::move(connected), std::move(context));
  if (!info) co_return base::fail(info.error());
  co_return client;
}

Client::~Client() { core_->stop(); }

Result<Publisher> Client::publisher(std::string_view topic, PublisherOptions options) {
  if (Status status = check_publish_topic(topic); !status) return base::fail(status.error());
  if (Status status = check_need(options.need); !status) return base::fail(status.error());
  if (core_->is_producer() && options.receipts != Receipts::kAll) {
    return base::fail(ErrorCode::kBadArgument, "an idempotent producer needs every receipt");
  }
  return Publisher(core_->make_lane(std::string(topic), std::move(options)));
}

Status Client::try_publish(std::string_view topic, const Outgoing& message) {
  if (Status status = check_publish_topic(topic); !status) return status;
  return core_->named_lane()->append(topic, message);
}

async::Task<Status> Client::publish(async::Context context, std::string topic, Outgoing message) {
  const Status checked = check_publish_topic(topic);
  if (!checked) co_return checked;
  Status status = co_await detail::append_when_room(core_->named_lane(), std::move(context),
                                                    std::move(topic), std::move(message), {});
  co_return status;
}

async::Task<Result<Receipt>> Client::publish_and_wait(async::Context context, std::string topic,
                                                      Outgoing message, Need need) {
  const Status checked = check_publish_topic(topic);
  if (!checked) co_return base::fail(checked.error());
  const Status possible = check_need(need);
  if (!possible) co_return base::fail(possible.error());
  std::shared_ptr<detail::Lane> lane = core_->lane_for(std::move(need));
  Result<Receipt> receipt = co_await detail::append_and_wait(std::move(lane), std::move(context),
                                                             std::move(topic), std::move(message));
  co_return receipt;
}

async::Task<Status> Client::flush(async::Context context) {
  Status first_failure;
  const auto lanes = core_->lanes();
  for (const auto& lane : lanes) {
    Status status = co_await detail::settle(lane, context);
    if (!status && first_failure) first_failure = std::move(status);
  }
  co_return first_failure;
}

PublishTotals Client::totals() const { return core_->totals(); }

async::Task<Result<Subscription>> Client::subscribe(async::Context context,
                                                    SubscribeOptions options) {
  const Status checked = check_subscribe(options);
  if (!checked) co_return base::fail(checked.error());
  auto subscription = std::make_shared<detail::SubscriptionCore>(
      core_->hub(), core_, core_->next_subscription_id(), std::move(options));
  auto slot = std::make_shared<Slot<SubscriptionInfo>>();
  const Status posted = core_->post(
      [subscription, slot](detail::Engine& engine) { engine.subscribe(subscription, slot); });
  if (!posted) co_return base::fail(posted.error());
  const Result<SubscriptionInfo> info =
      co_await Slot<SubscriptionInfo>::wait(std::move(slot), std::move(context));
  if (!info) co_return base::fail(info.error());
  co_return Subscription(std::move(subscription));
}

async::Task<Result<Message>> Client::request(async::Context context, std::string topic,
                                             Outgoing message) {
  const Status checked = check_publish_topic(topic);
  if (!checked) co_return base::fail(checked.error());
  auto opened = std::make_shared<Slot<std::string>>();
  const Status posted =
      core_->post([opened](detail::Engine& engine) { engine.open_inbox(opened); });
  if (!posted) co_return base::fail(posted.error());
  const Result<std::string> prefix = co_await Slot<std::string>::wait(std::move(opened), context);
  if (!prefix) co_return base::fail(prefix.error());

  const Result<detail::Inbox::Ticket> ticket = core_->inbox().open(*prefix);
  if (!ticket) co_return base::fail(ticket.error());
  message.headers.emplace_back(detail::kReplyToHeader, ticket->reply_to);
  message.headers.emplace_back(detail::kCorrelationHeader, ticket->correlation);
  auto publish = std::make_shared<detail::PublishTicket>();
  detail::Interest interest;
  interest.ticket = publish;
  interest.waiter = [slot = ticket->slot](const Result<Receipt>& receipt) {
    if (!receipt) return slot->set(base::fail(receipt.error()));
    if (receipt->ok() || receipt->reason == ErrorCode::kNone) return;
    slot->set(base::fail(receipt->reason, receipt->text));
  };
  const Status sent = co_await detail::append_when_room(
      core_->request_lane(), context, std::move(topic), std::move(message), std::move(interest));
  if (!sent) co_return base::fail(sent.error());
  Result<Message> answer = co_await detail::MessageSlot::wait(ticket->slot, context);
  if (answer) co_return answer;
  // Nobody is to work on what nobody waits for.
  const std::shared_ptr<detail::Lane> lane = core_->request_lane();
  Error ended = co_await detail::withdraw_after(lane, std::move(publish), std::move(context),
                                                std::move(answer.error()));
  co_return base::fail(std::move(ended));
}

bool Client::wants_reply(const MessageView& message) noexcept {
  return message.header(detail::kReplyToHeader).has_value();
}

Status Client::reply(const MessageView& to, Outgoing message) {
  const auto reply_to = to.header(detail::kReplyToHeader);
  if (!reply_to) return base::fail(ErrorCode::kBadArgument, "the message asks for no answer");
  if (const auto correlation = to.header(detail::kCorrelationHeader)) {
    message.headers.emplace_back(detail::kCorrelationHeader, *correlation);
  }
  return try_publish(*reply_to, message);
}

async::Task<Result<std::string>> Client::admin(async::Context context, std::string verb,
                                               std::string json_body) {
  if (verb.size() > kMaxNameBytes || json_body.size() > core_->hub()->limits().max_message_bytes) {
    co_return base::fail(ErrorCode::kBadArgument, "a request larger than a frame");
  }
  auto slot = std::make_shared<Slot<std::string>>();
  const Status posted =
      core_->post([slot, verb = std::move(verb), body = std::move(json_body)](
                      detail::Engine& engine) { engine.admin(verb, body, slot); });
  if (!posted) co_return base::fail(posted.error());
  Result<std::string> answer =
      co_await Slot<std::string>::wait(std::move(slot), std::move(context));
  co_return answer;
}

async::Task<Result<Duration>> Client::ping(async::Context context) {
  auto slot = std::make_shared<Slot<Duration>>();
  const Status posted = core_->post([slot](detail::Engine& engine) { engine.ping(slot); });
  if (!posted) co_return base::fail(posted.error());
  Result<Duration> took = co_await Slot<Duration>::wait(std::move(slot), std::move(context));
  co_return took;
}

async::Task<Status> Client::drain(async::Context context) {
  core_->hub()->refuse({ErrorCode::kDraining, "this client drains"});
  const Status flushed = co_await flush(context);
  if (context.is_done()) co_return context.check();
  auto ended = std::make_shared<async::Event>();
  Status posted = core_->post([ended](detail::Engine& engine) {
    engine.unsubscribe_all([&engine, ended] { engine.finish([ended] { ended->set(); }); });
  });
  if (!posted) co_return posted;
  const Status waited = co_await ended->wait(context);
  co_return waited ? flushed : waited;
}

ConnectionState Client::state() const { return core_->state(); }

ServerInfo Client::server() const { return core_->server(); }

async::Executor& Client::executor() noexcept { return core_->executor(); }

}  // namespace sluice
