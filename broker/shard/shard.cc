#include "broker/shard/shard.h"

#include <algorithm>
#include <utility>

#include "broker/protocol/native/native_protocol.h"
#include "broker/shard/overloaded.h"
#include "libs/base/assert.h"

namespace sluice::shard {

using base::ErrorCode;
using base::Status;

namespace {

constexpr base::Duration kHousekeepingEvery = std::chrono::milliseconds(250);
constexpr std::size_t kHousekeepingEntries = 4096;

// A client that has that much unread is told of further copies that expired in one sum, later.
constexpr std::size_t kNoticeBytes = 256U << 10;

// A client that does not read what it is sent is not read from either.
constexpr std::size_t kUnsentPerOutputHigh = 4;

}  // namespace

Shard::Shard(model::ShardId id, const Options& options, const Ports& ports, std::uint64_t seed)
    : core_(id, options, ports, seed),
      admin_(ports.admin),
      subscriptions_(core_),
      groups_(core_, subscriptions_),
      limiting_(core_, subscriptions_),
      publishing_(core_, subscriptions_),
      producers_(
          core_,
          [this](Connection& connection) {
            welcome(connection);
            if (std::exchange(connection.claiming, false)) core_.unread.push_back(connection.id);
          },
          [this](Connection& connection) {
            answer_error(connection, {ErrorCode::kTakenOver, {}}, 0);
          }),
      withdrawals_(core_, subscriptions_, publishing_),
      output_(core_, subscriptions_, publishing_, groups_),
      inspection_(core_, subscriptions_, publishing_),
      rehearsals_(core_, subscriptions_),
      memory_keeper_(core_, subscriptions_, publishing_) {
  subscriptions_.wire(publishing_, groups_);
  core_.close = [this](Connection& connection, metrics::CloseReason reason,
                       const base::Error* why) { close(connection, reason, why); };
}

Shard::~Shard() = default;

// --- The turn ------------------------------------------------------------------------------

void Shard::begin_turn(base::MonotonicTime now, base::WallTime wall_now) {
  core_.now = now;
  core_.wall_now = wall_now;
  core_.copies_pushed = 0;
}

void Shard::read_mail() {
  core_.mail.receive(
      [this](model::ShardId from, Letter&& letter) { read_letter(from, std::move(letter)); },
      [this] { return core_.has_time(); });
}

// What an earlier turn had no time for, or a lease was waited for. Who does not get its turn now is
// the first in the next.
void Shard::read_on() {
  if (core_.mail.has_unread()) read_mail();
  const std::vector<model::ConnectionId> waiting = std::exchange(core_.unread, {});
  std::size_t at = 0;
  for (; at < waiting.size() && core_.has_time(); ++at) {
    Connection* connection = core_.find(waiting[at]);
    if (connection == nullptr) continue;
    connection->held_back = false;
    const bool reads = !connection->reading_paused && !connection->ended;
    if (reads && connection->may_read()) connection->link->set_reading(true);
    read_frames(*connection);
    if (connection->ended) core_.touch(*connection);  // it may be owed nothing more
  }
  const auto rest = waiting.begin() + static_cast<std::ptrdiff_t>(at);
  core_.unread.insert(core_.unread.begin(), rest, waiting.end());
}

void Shard::read_letter(model::ShardId from, Letter&& letter) {
  std::visit(Overloaded{
                 [&](PublishLetter& l) { publishing_.on_publish(from, std::move(l)); },
                 [&](PublishResultLetter& l) { publishing_.on_result(from, std::move(l)); },
                 [&](PublishWaitingLetter& l) { publishing_.on_waiting(from, std::move(l)); },
                 [&](ProducerClaimLetter& l) { producers_.on_claim(from, l); },
                 [&](ProducerLeaseLetter& l) { producers_.on_lease(std::move(l)); },
                 [&](ProducerRecallLetter& l) { producers_.on_recall(l); },
                 [&](ProducerReturnLetter& l) { producers_.on_return(std::move(l)); },
                 [&](WithdrawLetter& l) { withdrawals_.on_withdraw(from, std::move(l)); },
                 [&](WithdrawnLetter& l) { withdrawals_.on_withdrawn(l); },
                 [&](ExpiredLetter& l) { core_.expired.add(l.origin, l.copies); },
                 [&](InterestLetter& l) { subscriptions_.on_interest(from, std::move(l)); },
                 [&](InterestDoneLetter& l) { subscriptions_.on_interest_done(l); },
                 [&](GroupJoinLetter& l) { groups_.on_join(from, std::move(l)); },
                 [&](GroupJoinedLetter& l) { groups_.on_joined(from, std::move(l)); },
                 [&](GroupNewsLetter& l) { groups_.on_news(l); },
                 [&](GroupLeaveLetter& l) { groups_.on_leave(l); },
                 [&](GroupItemLetter& l) { groups_.on_item(from, std::move(l)); },
                 [&](GroupReturnLetter& l) { groups_.on_return(std::move(l)); },
                 [&](GroupExpelledLetter& l) { groups_.on_expelled(l); },
             },
             letter);
}

bool Shard::end_turn(base::MonotonicTime now, base::WallTime wall_now) {
  begin_turn(now, wall_now);
  read_on();
  memory_keeper_.on_turn();
  subscriptions_.on_spill();
  bool more = withdrawals_.work();
  more |= has_unread();
  // Sending makes room in queues, which may settle a publish of another connection: until no
  // connection has anything to say. What a budget held back waits for the next turn.
  std::vector<Connection*> later;
  for (pass_on(); !core_.dirty.empty(); pass_on()) {
    flushing_.swap(core_.dirty);
    for (Connection* connection : flushing_) {
      connection->dirty = false;
      if (connection->ended && connection->unresolved == 0 && !connection->held_back &&
          !connection->early_end) {
        close(*connection, metrics::CloseReason::kPeer, nullptr);
      }
      if (output_.flush(*connection)) later.push_back(connection);
      // A socket that took all at once never tells that it has drained.
      if (connection->reading_paused && connection->state == ConnectionState::kOpen &&
          connection->link->unsent_bytes() == 0) {
        resume_reading(*connection);
      }
      if (connection->state == ConnectionState::kClosing) finish_close(*connection);
    }
    flushing_.clear();
  }
  for (Connection* connection : later) {
    core_.touch(*connection);
    more = true;
  }
  groups_.tell_news();
  mail_stuck_ = !core_.mail.flush();
  destroy_dead();
  update_gauges();
  return more;
}

// What has come up in queues since: dealt to members, told to publishers.
void Shard::pass_on() {
  groups_.deal();
  core_.expired.tell([this](const model::Origin& origin, std::uint64_t copies) {
    if (origin.shard == core_.id) {
      tell_expired(origin, copies);
    } else {
      core_.mail.post(origin.shard, ExpiredLetter{origin, copies});
      core_.metrics.mailbox_posted.add();
    }
  });
}

void Shard::tell_expired(const model::Origin& origin, std::uint64_t copies) {
  Connection* connection = core_.find(origin.connection);
  if (connection == nullptr) return;
  wire::Cancel frame;
  frame.target = origin.publish;
  frame.target_kind = wire::FrameKind::kPublish;
  frame.withdrawn = copies;
  if (connection->control.size() + connection->link->unsent_bytes() > kNoticeBytes) {
    connection->expired_untold += copies;
    return;
  }
  core_.send(*connection, frame, 0, wire::kCancelExpired);
  const std::uint64_t untold = std::exchange(connection->expired_untold, 0);
  if (untold == 0) return;
  frame.target = 0;
  frame.withdrawn = untold;
  core_.send(*connection, frame, 0, wire::kCancelExpired);
}

void Shard::update_gauges() {
  metrics::ShardMetrics& m = core_.metrics;
  m.topics.set(static_cast<std::int64_t>(core_.topics.size()));
  m.slabs_in_use.set(static_cast<std::int64_t>(core_.pool.in_use()));
  m.mailbox_entries.set(static_cast<std::int64_t>(core_.mail.waiting()));
  m.mailbox_wakeups.add(core_.mail.wakeups() - m.mailbox_wakeups.value());
  m.balance_ledger();
}

void Shard::destroy_dead() {
  for (Connection* connection : std::exchange(core_.dead, {})) {
    std::erase(core_.dirty, connection);
    publishing_.forget(*connection);
    if (connection->session != 0) core_.states.end(connection->named);
    for (auto& [id, open] : connection->topics) core_.states.end(open.window);
    core_.connection_bytes -= connection->extra_bytes;
    core_.connections.erase(connection->id.value());
  }
  core_.metrics.connections.set(static_cast<std::int64_t>(core_.connections.size()));
}

// --- Connections ---------------------------------------------------------------------------

Connection* Shard::open(port::Link& link, std::string peer) {
  if (core_.draining) {
    core_.metrics.connections_refused[metrics::RefuseReason::kDraining].add();
    return nullptr;
  }
  if (core_.connections.size() >= core_.options.max_connections) {
    core_.metrics.connections_refused[metrics::RefuseReason::kLimit].add();
    return nullptr;
  }
  if (core_.memory.is_full()) {
    core_.metrics.connections_refused[metrics::RefuseReason::kMemory].add();
    return nullptr;
  }
  const model::ConnectionId id(++last_connection_);
  auto connection = std::make_unique<Connection>(id, link, core_.cursor, std::move(peer));
  connection->opened_at = core_.now;
  Connection* raw = connection.get();
  core_.connections.emplace(id.value(), std::move(connection));
  handshakes_.push_back(id);
  core_.metrics.connections_accepted.add();
  core_.metrics.connections.set(static_cast<std::int64_t>(core_.connections.size()));
  return raw;
}

std::vector<std::byte> Shard::refusal() const {
  std::vector<std::byte> out;
  base::Error error{core_.draining ? ErrorCode::kDraining : ErrorCode::kConnectionLimit, {}};
  const bool too_many = core_.connections.size() >= core_.options.max_connections;
  if (!core_.draining && !too_many) {
    error = core_.memory_full("a connection").value();
  } else if (!core_.draining) {
    error.detail = std::to_string(core_.options.max_connections) + " on this shard";
  }
  protocol::native::encode_error(out, error, 0);
  return out;
}

void Shard::received(Connection& connection, std::size_t bytes) {
  core_.metrics.received_bytes.add(bytes);
  connection.reader.commit(bytes);
  read_frames(connection);
}

void Shard::read_frames(Connection& connection) {
  while (connection.state < ConnectionState::kClosing && connection.may_read()) {
    if (!core_.has_time() && connection.reader.buffered() > 0) {
      connection.held_back = true;
      connection.link->set_reading(false);
      core_.unread.push_back(connection.id);
      break;
    }
    auto frame = connection.reader.next();
    if (!frame) {
      base::Error error = frame.error();
      if (connection.state == ConnectionState::kHandshake) {
        error = {ErrorCode::kBadMagic, "read as a frame: " + error.message()};
      }
      answer_error(connection, error, 0);
      break;
    }
    if (!frame->has_value()) break;
    core_.metrics.received_frames.add();
    dispatch(connection, **frame);
  }
  if (connection.state >= ConnectionState::kClosing) return;
  connection.reader.settle();
  const std::size_t unsent_most =
      core_.memory.is_full() ? core_.output_high : kUnsentPerOutputHigh * core_.options.output_high;
  const bool over = connection.link->unsent_bytes() + connection.control.size() > unsent_most;
  if (over && !connection.reading_paused) {
    connection.reading_paused = true;
    connection.link->set_reading(false);
  }
}

void Shard::writable(Connection& connection) {
  if (connection.state == ConnectionState::kClosed) return;
  output_.release(connection);
  if (connection.reading_paused) resume_reading(connection);
  if (std::exchange(connection.output_paused, false)) core_.touch(connection);
}

void Shard::resume_reading(Connection& connection) {
  if (connection.state >= ConnectionState::kClosing) return;
  connection.reading_paused = false;
  if (connection.may_read()) connection.link->set_reading(true);
}

void Shard::closed(Connection& connection, const base::Error* why) {
  if (connection.state == ConnectionState::kClosed) return;
  if (connection.state != ConnectionState::kClosing) {
    publishing_.abandon(connection);
    producers_.release(connection);
    connection.close_reason =
        why == nullptr ? metrics::CloseReason::kPeer : metrics::CloseReason::kNetwork;
    subscriptions_.end_all(connection);
    core_.events.connection_closed(connection.id, connection.peer, why);
    if (connection.session != 0) core_.metrics.sessions.sub();
  }
  connection.state = ConnectionState::kClosed;
  core_.metrics.connections_closed[connection.close_reason].add();
  core_.dead.push_back(&connection);
}

void Shard::ended(Connection& connection) {
  if (connection.state >= ConnectionState::kClosing) return;
  connection.ended = true;
  connection.link->set_reading(false);
  subscriptions_.end_all(connection);
  core_.touch(connection);  // end_turn closes it once it is owed nothing
}

void Shard::close(Connection& connection, metrics::CloseReason reason, const base::Error* why) {
  if (connection.state >= ConnectionState::kClosing) return;
  // A drain tells of all connections at once.
  if (reason != metrics::CloseReason::kDrain) {
    core_.events.connection_closed(connection.id, connection.peer, why);
  }
  connection.state = ConnectionState::kClosing;
  connection.close_reason = reason;
  connection.link->set_reading(false);
  publishing_.abandon(connection);
  producers_.release(connection);
  subscriptions_.end_all(connection);
  if (connection.session != 0) core_.metrics.sessions.sub();
  core_.touch(connection);
}

void Shard::finish_close(Connection& connection) {
  connection.state = ConnectionState::kClosed;
  core_.metrics.connections_closed[connection.close_reason].add();
  core_.dead.push_back(&connection);
  connection.link->close();
}

void Shard::answer_error(Connection& connection, const base::Error& error,
                         std::uint64_t correlation) {
  core_.metrics.protocol_errors[error.code].add();
  const bool closes = protocol::native::encode_error(connection.control, error, correlation);
  core_.touch(connection);
  if (!closes) return;
  const auto reason = error.code == ErrorCode::kHandshakeTimeout
                          ? metrics::CloseReason::kHandshakeTimeout
                          : metrics::CloseReason::kProtocol;
  close(connection, reason, &error);
}

// --- Time ----------------------------------------------------------------------------------

void Shard::on_time() {
  publishing_.on_time();
  limiting_.on_time();
  rehearsals_.on_time();
  subscriptions_.on_time();
  while (!handshakes_.empty()) {
    Connection* connection = core_.find(handshakes_.front());
    const bool waits = connection != nullptr && connection->state == ConnectionState::kHandshake;
    if (waits && core_.now - connection->opened_at < core_.options.handshake_timeout) break;
    handshakes_.pop_front();
    if (waits) answer_error(*connection, {ErrorCode::kHandshakeTimeout, {}}, 0);
  }
  if (core_.now < next_housekeeping_) return;
  next_housekeeping_ = core_.now + kHousekeepingEvery;
  subscriptions_.housekeep(kHousekeepingEntries);
  core_.states.sweep([this](model::ConnectionId id) { return core_.find(id); });
}

base::MonotonicTime Shard::next_time() const {
  base::MonotonicTime next = std::min(subscriptions_.next_time(), next_housekeeping_);
  next = std::min({next, publishing_.next_time(), limiting_.next_time(), rehearsals_.next_time()});
  // A full mailbox is tried again soon: its reader need not have anything to tell us.
  if (mail_stuck_) next = std::min(next, core_.now + std::chrono::milliseconds(1));
  return next;
}

// --- Ending --------------------------------------------------------------------------------

void Shard::start_drain(base::Duration deadline) {
  core_.draining = true;
  wire::Goaway goaway;
  goaway.reason = static_cast<std::uint16_t>(ErrorCode::kDraining);
  goaway.deadline_ms = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline).count());
  goaway.text = "the broker is shutting down";
  for (const auto& [id, connection] : core_.connections) {
    if (connection->state == ConnectionState::kOpen) core_.send(*connection, goaway, 0);
  }
}

void Shard::close_all() {
  for (const auto& [id, connection] : core_.connections) {
    close(*connection, metrics::CloseReason::kDrain, nullptr);
  }
}

}  // namespace sluice::shard
