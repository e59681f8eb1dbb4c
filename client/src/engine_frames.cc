// What the engine does with each frame of the broker.

#include <utility>

#include "client/src/engine.h"

namespace sluice::detail {
namespace {

std::string_view state_name(wire::StateKind kind) {
  switch (kind) {
    case wire::StateKind::kPressure:
      return "pressure";
    case wire::StateKind::kBreaker:
      return "breaker";
    case wire::StateKind::kDrain:
      return "drain";
    case wire::StateKind::kLimit:
      return "limit";
  }
  return {};
}

Error to_error(const wire::ErrorFrame& frame) {
  if (base::is_error_code(frame.code)) {
    return {static_cast<ErrorCode>(frame.code), std::string(frame.text)};
  }
  return {ErrorCode::kInternal,
          "the broker's error " + std::to_string(frame.code) + ": " + std::string(frame.text)};
}

}  // namespace

void Engine::on_frame(const wire::Frame& frame) {
  Status status;
  switch (frame.header.kind) {
    case wire::FrameKind::kDeliver:
      status = subscriptions_.on_deliver(frame, *connection_);
      break;
    case wire::FrameKind::kReceipt:
      status = on_receipt(frame);
      break;
    case wire::FrameKind::kGrant:
      status = on_grant(frame);
      break;
    case wire::FrameKind::kGap:
      status = subscriptions_.on_gap(frame);
      break;
    case wire::FrameKind::kTopic:
      status = on_topic(frame);
      break;
    case wire::FrameKind::kPing:
      status = on_ping(frame);
      break;
    case wire::FrameKind::kState:
      status = on_state_frame(frame);
      break;
    case wire::FrameKind::kGoaway:
      status = on_goaway(frame);
      break;
    case wire::FrameKind::kError:
      status = on_error(frame);
      break;
    case wire::FrameKind::kCancel:
      status = on_cancel(frame);
      break;
    case wire::FrameKind::kSubscribed:
    case wire::FrameKind::kUnsubscribed:
    case wire::FrameKind::kReply:
    case wire::FrameKind::kPong:
      status = on_answer(frame);
      break;
    default:
      status = base::fail(ErrorCode::kUnexpectedFrame,
                          std::string(wire::frame_name(frame.header.kind)) + " from the broker");
  }
  if (!status && connection_ != nullptr) connection_->lose(status.error());
}

// An answer that nobody waits for any more is no fault of the broker.
Status Engine::on_answer(const wire::Frame& frame) {
  requests_.answer(frame.header.correlation, frame);
  return {};
}

Status Engine::on_topic(const wire::Frame& frame) {
  auto topic = wire::decode<wire::Topic>(frame.header, frame.body.view());
  if (!topic) return base::fail(topic.error());
  subscriptions_.on_topic_name(topic->topic, topic->name);
  return on_answer(frame);
}

Status Engine::on_receipt(const wire::Frame& frame) {
  auto receipt = wire::decode<wire::Receipt>(frame.header, frame.body.view());
  if (!receipt) return base::fail(receipt.error());
  pump_.on_receipt(frame, *receipt);
  return {};
}

Status Engine::on_cancel(const wire::Frame& frame) {
  if ((frame.header.flags & wire::kCancelExpired) == 0) return on_answer(frame);
  auto expired = wire::decode<wire::Cancel>(frame.header, frame.body.view());
  if (!expired) return base::fail(expired.error());
  pump_.on_expired(*expired);
  return {};
}

Status Engine::on_grant(const wire::Frame& frame) {
  auto grant = wire::decode<wire::Grant>(frame.header, frame.body.view());
  if (!grant) return base::fail(grant.error());
  pump_.on_grant(*grant);
  return {};
}

Status Engine::on_ping(const wire::Frame& frame) {
  auto ping = wire::decode<wire::Ping>(frame.header, frame.body.view());
  if (!ping) return base::fail(ping.error());
  wire::Pong pong;
  pong.opaque = ping->opaque;
  pong.wall_time_ns = base::to_wire(hub_->clock().wall_now());
  connection_->send(pong, frame.header.correlation);
  return {};
}

Status Engine::on_state_frame(const wire::Frame& frame) {
  auto state = wire::decode<wire::State>(frame.header, frame.body.view());
  if (!state) return base::fail(state.error());
  const std::string_view name = state_name(state->what);
  if (name.empty() || !options_.on_broker_state) return {};  // a later version's kind
  BrokerState told;
  told.what = name;
  told.level = state->level / 255.0;
  told.topic = subscriptions_.topic_name(state->topic);
  told.reason = static_cast<ErrorCode>(state->reason);
  told.retry_after = std::chrono::milliseconds(state->retry_after_ms);
  told.text = state->text;
  options_.on_broker_state(told);
  return {};
}

// Nothing new is published on this connection; what waits goes out on the next one.
Status Engine::on_goaway(const wire::Frame& frame) {
  auto goaway = wire::decode<wire::Goaway>(frame.header, frame.body.view());
  if (!goaway) return base::fail(goaway.error());
  is_going_away_ = true;
  closing_error_ = Error{static_cast<ErrorCode>(goaway->reason), std::string(goaway->text)};
  if (closing_error_->detail == closing_error_->info().text) closing_error_->detail.clear();
  ConnectionEvent event;
  event.state = ConnectionState::kDraining;
  event.error = *closing_error_;
  observer_.on_state(event);
  return {};
}

Status Engine::on_error(const wire::Frame& frame) {
  auto told = wire::decode<wire::ErrorFrame>(frame.header, frame.body.view());
  if (!told) return base::fail(told.error());
  const Error error = to_error(*told);
  if (told->closes) {
    closing_error_ = error;
    return base::fail(error);
  }
  const std::uint64_t correlation = frame.header.correlation;
  if (correlation >= RequestTable::kFirst) {
    requests_.answer(correlation, base::fail(error));
  } else if (!pump_.on_publish_error(correlation, error)) {
    subscriptions_.on_error(told->subject, error);
  }
  return {};
}

}  // namespace sluice::detail
