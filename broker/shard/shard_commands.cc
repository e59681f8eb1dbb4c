// The part of Shard that answers what clients ask for.

#include <algorithm>
#include <utility>

#include "broker/protocol/native/native_protocol.h"
#include "broker/shard/overloaded.h"
#include "broker/shard/shard.h"
#include "libs/base/assert.h"

namespace sluice::shard {

using base::ErrorCode;
using base::fail;
using base::Status;

namespace {

constexpr std::size_t kMaxClientName = 255;

// An answer may be large and takes work on every shard, so a connection may not ask for many at
// once.
constexpr std::uint32_t kMaxRequestsOpen = 8;
// Of REPLY, before its body's text.
constexpr std::uint32_t kReplyBytes = 8;

}  // namespace

void Shard::dispatch(Connection& connection, const wire::Frame& frame) {
  auto command = protocol::native::to_command(frame);
  const Status done = command ? run(connection, *command) : Status(fail(command.error()));
  if (!done) answer_error(connection, done.error(), frame.header.correlation);
}

Status Shard::run(Connection& connection, const model::Command& command) {
  const auto* first = std::get_if<model::HelloCommand>(&command);
  if ((first != nullptr) != (connection.state == ConnectionState::kHandshake)) {
    return fail(first != nullptr ? ErrorCode::kUnexpectedFrame : ErrorCode::kBadMagic,
                first != nullptr ? "HELLO was said before" : "HELLO has to come first");
  }
  return std::visit(
      Overloaded{
          [&](const model::PublishCommand& c) { return publishing_.publish(connection, c); },
          [&](const model::CreditCommand& c) { return subscriptions_.add_credit(connection, c); },
          [&](const model::HelloCommand& c) { return hello(connection, c); },
          [&](const model::OpenTopicCommand& c) {
            return publishing_.open_topic(connection, c.correlation, c.name);
          },
          [&](const model::SubscribeCommand& c) {
            return subscriptions_.begin(connection, c.correlation, c.subscribe);
          },
          [&](const model::UnsubscribeCommand& c) {
            return subscriptions_.end(connection, c.correlation, c.subscription);
          },
          [&](const model::PingCommand& c) {
            core_.send(connection, wire::Pong{c.opaque, base::to_wire(core_.wall_now)},
                       c.correlation);
            return Status{};
          },
          [&](const model::AdminCommand& c) { return admin(connection, c); },
          [&](const model::CancelCommand& c) { return cancel(connection, c); },
          [&](const model::UnsupportedCommand& c) {
            return Status(fail(ErrorCode::kUnsupportedFeature, std::string(c.what)));
          },
          [](const model::IgnoredCommand&) { return Status{}; },
      },
      command);
}

Status Shard::hello(Connection& connection, const model::HelloCommand& command) {
  const wire::Hello& hello = command.hello;
  if (hello.magic != wire::kProtocolMagic) return fail(ErrorCode::kBadMagic);
  if (hello.version_min > wire::kProtocolVersion || hello.version_max < wire::kProtocolVersion) {
    return fail(ErrorCode::kUnsupportedVersion,
                "client speaks " + std::to_string(hello.version_min) + " to " +
                    std::to_string(hello.version_max) + ", broker " +
                    std::to_string(wire::kProtocolVersion));
  }
  if (hello.max_frame < core_.options.max_frame) {
    return fail(ErrorCode::kFrameTooLarge, "the client takes frames of " +
                                               std::to_string(hello.max_frame) +
                                               " bytes, and messages here may need " +
                                               std::to_string(core_.options.max_frame));
  }
  connection.features = hello.features;
  connection.hello_correlation = command.correlation;
  connection.producer_id = hello.producer_id;
  connection.producer_epoch = hello.producer_epoch;
  connection.client = hello.client_name.substr(0, kMaxClientName);
  connection.max_frame = std::min(hello.max_frame, wire::kMaxMaxFrame);
  connection.reader.set_max_body(core_.options.max_frame);
  if (connection.producer_id == 0) {
    welcome(connection);
    return {};
  }
  producers_.claim(connection);
  if (connection.producer != nullptr || connection.state >= ConnectionState::kClosing) return {};
  connection.claiming = true;  // WELCOME follows with the lease
  connection.link->set_reading(false);
  return {};
}

void Shard::welcome(Connection& connection) {
  connection.state = ConnectionState::kOpen;
  connection.session = model::session_on(core_.id, core_.random.next());
  connection.named.left = core_.options.full_window();
  core_.metrics.sessions.add();
  core_.states.begin(connection.named);

  wire::Welcome welcome;
  welcome.features = connection.features & (wire::kFeatureLz4 | wire::kFeatureZstd);
  welcome.max_frame = core_.options.max_frame;
  welcome.keepalive_ms = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(core_.options.keepalive).count());
  welcome.session_id = connection.session;
  welcome.wall_time_ns = base::to_wire(core_.wall_now);
  welcome.named_grant = connection.named.left;
  if (connection.producer != nullptr) {
    welcome.producer_epoch = connection.producer_epoch;
    welcome.producer_next = connection.producer->next();
  }
  welcome.node_name = core_.options.node_name;
  welcome.broker_version = core_.options.broker_version;
  core_.send(connection, welcome, connection.hello_correlation);
  core_.events.connection_opened(connection.id, connection.peer, connection.client);
}

Status Shard::admin(Connection& connection, const model::AdminCommand& command) {
  if (connection.requests_open.size() >= kMaxRequestsOpen) {
    return fail(ErrorCode::kUnavailable, std::to_string(kMaxRequestsOpen) +
                                             " requests of this connection have no answer yet");
  }
  connection.requests_open.push_back({command.correlation, false});
  const std::size_t max_bytes = connection.max_frame - kReplyBytes;
  admin_.on_request({core_.id, connection.id, command.correlation, max_bytes},
                    std::string(command.verb), std::string(command.body));
  return {};
}

Status Shard::cancel(Connection& connection, const model::CancelCommand& command) {
  if (command.target_kind == wire::FrameKind::kPublish) {
    return withdrawals_.begin(connection, command);
  }
  wire::Cancel answer;
  answer.target = command.target;
  answer.target_kind = command.target_kind;
  for (OpenRequest& request : connection.requests_open) {
    if (request.correlation != command.target || request.cancelled) continue;
    request.cancelled = true;
    answer.withdrawn = 1;
    break;
  }
  core_.send(connection, answer, command.correlation);
  return {};
}

void Shard::reply(const port::AdminReturn& where, ErrorCode error, std::string_view body) {
  Connection* connection = core_.find(where.connection);
  if (connection == nullptr) return;
  std::vector<OpenRequest>& open = connection->requests_open;
  const auto request = std::find_if(open.begin(), open.end(), [&where](const OpenRequest& entry) {
    return entry.correlation == where.correlation;
  });
  ASSERT(request != open.end());
  const bool cancelled = request->cancelled;
  open.erase(request);
  if (cancelled) return;
  wire::Reply reply;
  reply.error = static_cast<std::uint16_t>(error);
  reply.body = body;
  if (body.size() > where.max_bytes) {
    reply.error = static_cast<std::uint16_t>(ErrorCode::kMessageTooLarge);
    reply.body = "{\"error\":\"the answer is larger than the client takes\"}";
  }
  core_.send(*connection, reply, where.correlation);
}

}  // namespace sluice::shard
