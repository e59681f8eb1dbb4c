#include "client/src/engine.h"

#include <algorithm>
#include <utility>

#include "libs/base/assert.h"

namespace sluice::detail {
namespace {

constexpr std::size_t kMinReadRoom = 16U << 10;
// What PUBLISH may have before a batch.
constexpr std::size_t kFrameOverhead = 1024;

}  // namespace

Engine::Engine(loop::Loop& loop, std::shared_ptr<Hub> hub, Inbox& inbox,
               const ClientOptions& options, loop::HostPort server, Observer observer)
    : loop_(loop),
      hub_(std::move(hub)),
      inbox_(inbox),
      options_(options),
      server_(std::move(server)),
      observer_(std::move(observer)),
      random_(base::system_seed()),
      memory_(std::make_shared<ReceiveMemory>()),
      cursor_(memory_->pool, kMinReadRoom),
      wakeup_(loop, [] {}),  // on_turn_end does the work
      retry_timer_(loop, [this] { connect(); }),
      keep_alive_timer_(loop, [this] { on_keep_alive(); }),
      pump_(*hub_, requests_, options_),
      subscriptions_(memory_, requests_, hub_->clock()) {
  hub_->attach([this] { wakeup_.post(); });
}

Engine::~Engine() { ASSERT(phase_ == Phase::kClosed); }

void Engine::start() {
  keep_alive_timer_.start_repeating(options_.keep_alive);
  connect();
}

void Engine::connect() {
  if (phase_ == Phase::kClosed) return;
  ConnectionEvent event;
  event.state = ConnectionState::kConnecting;
  event.attempt = attempt_;
  observer_.on_state(event);
  closing_error_.reset();
  is_going_away_ = false;
  is_probing_ = false;
  Connection::Callbacks callbacks;
  callbacks.on_open = [this](const wire::Welcome& welcome) { on_open(welcome); };
  callbacks.on_frame = [this](const wire::Frame& frame) { on_frame(frame); };
  callbacks.on_lost = [this](const Error& reason) { on_lost(reason); };
  connection_ = std::make_unique<Connection>(loop_, cursor_, options_, std::move(callbacks));
  connection_->open(server_, pump_.numbers().epoch());
}

void Engine::on_open(const wire::Welcome& welcome) {
  if (const Status status = pump_.on_open(welcome); !status) {
    return connection_->lose(status.error());
  }
  if (phase_ == Phase::kFirst) phase_ = Phase::kRunning;
  attempt_ = 0;
  session_id_ = welcome.session_id;
  ServerInfo info;
  info.address = server_.text();
  info.node = welcome.node_name;
  info.version = welcome.broker_version;
  info.session_id = welcome.session_id;
  info.max_frame_bytes = welcome.max_frame;
  info.producer_next = welcome.producer_next;
  observer_.on_server(info);
  hub_->limit_batches(
      std::min<std::size_t>(welcome.max_frame - kFrameOverhead, welcome.named_grant));
  subscriptions_.on_open(*connection_, session_id_);
  inbox_state_ = InboxState::kNone;
  inbox_.set_prefix(Inbox::prefix_of(session_id_));
  if (inbox_wanted_) subscribe_inbox();
  ConnectionEvent event;
  event.state = ConnectionState::kConnected;
  observer_.on_state(event);
}

void Engine::on_lost(const Error& reason) {
  const Error why = closing_error_.value_or(reason);
  lost_connection_ = std::move(connection_);
  loop_.request_turn();  // at whose end it is destroyed
  ConnectionEvent event;
  event.error = why;
  const PublishPump::Lost lost = pump_.on_lost(why);
  event.unknown = lost.unknown;
  event.to_resend = lost.to_resend;
  requests_.fail_all({ErrorCode::kConnectionLost, why.message()});
  subscriptions_.on_lost(why);
  inbox_.fail_all({ErrorCode::kConnectionLost, why.message()});
  if (phase_ == Phase::kClosed) return;
  // A producer that was taken over must not take over in turn.
  const bool may_return = options_.reconnect && why.code != ErrorCode::kTakenOver;
  if (phase_ == Phase::kRunning && may_return) return schedule_retry(std::move(event));
  const bool was_asked_for = phase_ == Phase::kFinishing;
  close(was_asked_for ? Error{ErrorCode::kClosed, {}} : why);
}

void Engine::schedule_retry(ConnectionEvent event) {
  const std::uint32_t doublings = std::min(attempt_, 20U);
  const Duration doubled = options_.reconnect_min * (std::int64_t{1} << doublings);
  const Duration longest = std::min(doubled, options_.reconnect_max);
  // Between half and all of it, so that clients that were lost together come back apart.
  event.retry_in = std::chrono::duration_cast<Duration>(longest * (0.5 + random_.unit() / 2));
  event.attempt = attempt_++;
  event.state = ConnectionState::kDisconnected;
  retry_timer_.start(event.retry_in);
  observer_.on_state(event);
}

void Engine::close(const Error& reason) {
  if (std::exchange(phase_, Phase::kClosed) == Phase::kClosed) return;
  retry_timer_.cancel();
  keep_alive_timer_.cancel();
  Hub::Ready ready = hub_->close(reason);
  if (connection_ != nullptr) connection_->lose(reason);  // everything in flight fails
  pump_.add_lanes(std::move(ready.lanes));
  pump_.close(reason);
  for (const WithdrawRequest& request : ready.withdrawals) request.slot->set(base::fail(reason));
  subscriptions_.close(reason);
  for (const auto& slot : std::exchange(inbox_waiters_, {})) slot->set(base::fail(reason));
  ConnectionEvent event;
  event.state = ConnectionState::kClosed;
  event.error = reason;
  observer_.on_state(event);
  if (finished_) std::exchange(finished_, nullptr)();
}

void Engine::finish(std::function<void()> done) {
  if (phase_ == Phase::kClosed) return done();
  phase_ = Phase::kFinishing;
  finished_ = std::move(done);
  if (Connection* connection = open_connection()) return connection->finish();
  close({ErrorCode::kClosed, {}});
}

void Engine::on_turn_end() {
  lost_connection_.reset();
  handle_ready();
  Connection* connection = open_connection();
  if (connection == nullptr) return;
  if (!is_going_away_) pump_.pump(*connection);
  connection->flush();
  connection = open_connection();
  // What did not fit this turn goes in the next, unless the socket is full: then on_drained wakes.
  if (connection != nullptr && connection->can_publish() && pump_.has_more()) loop_.request_turn();
}

void Engine::handle_ready() {
  Hub::Ready ready = hub_->take_ready();
  pump_.add_lanes(std::move(ready.lanes));
  Connection* connection = open_connection();
  for (const auto& weak : ready.credits) {
    const auto core = weak.lock();
    if (core != nullptr && connection != nullptr) subscriptions_.send_credit(*core, *connection);
  }
  for (const WithdrawRequest& request : ready.withdrawals) pump_.withdraw(connection, request);
  for (const std::uint32_t id : ready.dropped) {
    subscriptions_.remove(id, connection, [](const Result<SubscriptionAccount>&) {});
  }
}

void Engine::on_keep_alive() {
  Connection* connection = open_connection();
  if (connection == nullptr) return;
  const Duration silent = loop_.now() - connection->last_received();
  if (silent < options_.keep_alive) {
    is_probing_ = false;
    return;
  }
  // Only an unanswered ping proves silence: it may be this program that stood still.
  if (std::exchange(is_probing_, true)) {
    return connection->lose({ErrorCode::kConnectionLost, "the broker has fallen silent"});
  }
  connection->send(wire::Ping{}, requests_.add([this](const Result<wire::Frame>& pong) {
    if (pong) is_probing_ = false;
  }));
}

Connection* Engine::open_connection() noexcept {
  return connection_ != nullptr && connection_->is_open() ? connection_.get() : nullptr;
}

void Engine::subscribe(const std::shared_ptr<SubscriptionCore>& core,
                       SubscriptionTable::InfoSlot slot) {
  if (const Status status = hub_->admission(); !status) {
    core->end(status.error());
    return slot->set(base::fail(status.error()));
  }
  subscriptions_.add(core, std::move(slot), open_connection());
}

void Engine::unsubscribe(std::uint32_t id, SubscriptionTable::AccountDone done) {
  subscriptions_.remove(id, open_connection(), std::move(done));
}

void Engine::unsubscribe_all(std::function<void()> done) {
  const std::vector<std::uint32_t> ids = subscriptions_.ids();
  // Called by the last of the answers to go.
  const std::shared_ptr<void> last(nullptr, [done = std::move(done)](void*) { done(); });
  for (const std::uint32_t id : ids) {
    unsubscribe(id, [last](const Result<SubscriptionAccount>&) {});
  }
}

void Engine::open_inbox(const std::shared_ptr<Slot<std::string>>& slot) {
  if (const Status status = hub_->admission(); !status)
    return slot->set(base::fail(status.error()));
  if (open_connection() != nullptr && inbox_state_ == InboxState::kOpen) {
    return slot->set(Inbox::prefix_of(session_id_));
  }
  inbox_waiters_.push_back(slot);
  inbox_wanted_ = true;
  if (open_connection() != nullptr && inbox_state_ == InboxState::kNone) subscribe_inbox();
}

void Engine::subscribe_inbox() {
  inbox_state_ = InboxState::kOpening;
  const std::string prefix = Inbox::prefix_of(session_id_);
  subscriptions_.add_internal(
      kInboxId, prefix + ">", *connection_,
      [this](const MessageBatch& batch) { inbox_.deliver(batch); },
      [this, prefix](const Status& status) {
        if (!status && status.error().code == ErrorCode::kConnectionLost) return;
        inbox_state_ = status ? InboxState::kOpen : InboxState::kNone;
        for (const auto& slot : std::exchange(inbox_waiters_, {})) {
          slot->set(status ? Result<std::string>(prefix) : base::fail(status.error()));
        }
      });
}

void Engine::admin(const std::string& verb, const std::string& body,
                   const std::shared_ptr<Slot<std::string>>& slot) {
  Connection* connection = open_connection();
  if (connection == nullptr) {
    return slot->set(base::fail(ErrorCode::kUnavailable, "not connected"));
  }
  auto on_reply = [slot](const Result<wire::Frame>& answer) {
    if (!answer) return slot->set(base::fail(answer.error()));
    auto reply = wire::decode<wire::Reply>(answer->header, answer->body.view());
    if (!reply) return slot->set(base::fail(reply.error()));
    std::string text(reply->body);
    if (reply->error != 0) {
      return slot->set(base::fail(static_cast<ErrorCode>(reply->error), std::move(text)));
    }
    slot->set(std::move(text));
  };
  wire::Request request;
  request.verb = verb;
  request.body = body;
  connection->send(request, requests_.add(std::move(on_reply)));
}

void Engine::ping(const std::shared_ptr<Slot<Duration>>& slot) {
  Connection* connection = open_connection();
  if (connection == nullptr) {
    return slot->set(base::fail(ErrorCode::kUnavailable, "not connected"));
  }
  const base::MonotonicTime sent = hub_->clock().now();
  auto on_pong = [this, slot, sent](const Result<wire::Frame>& answer) {
    if (!answer) return slot->set(base::fail(answer.error()));
    slot->set(hub_->clock().now() - sent);
  };
  connection->send(wire::Ping{}, requests_.add(std::move(on_pong)));
}

}  // namespace sluice::detail
