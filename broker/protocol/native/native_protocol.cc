#include "broker/protocol/native/native_protocol.h"

#include <algorithm>
#include <utility>

namespace sluice::protocol::native {
namespace {

using base::ErrorCode;
using base::Result;
using model::Command;
using wire::FrameKind;

constexpr std::size_t kErrorTextMax = 1024;

template <typename T, typename Make>
Result<Command> decoded(const wire::Frame& frame, Make make) {
  Result<T> value = wire::decode<T>(frame.header, frame.body.view());
  if (!value) return base::fail(std::move(value.error()));
  return Command(make(*value));
}

model::ReceiptMode receipt_mode(std::uint8_t flags) {
  if ((flags & wire::kPublishReceiptNone) != 0) return model::ReceiptMode::kNever;
  if ((flags & wire::kPublishReceiptProblems) != 0) return model::ReceiptMode::kProblems;
  return model::ReceiptMode::kAlways;
}

Result<Command> publish(const wire::Frame& frame) {
  return decoded<wire::Publish>(frame, [&frame](wire::Publish& publish) {
    const auto offset = static_cast<std::uint32_t>(publish.batch.data() - frame.body.data());
    model::PublishCommand command;
    command.number = frame.header.correlation;
    command.topic = publish.topic;
    command.name = publish.name;
    command.batch = frame.body.part(offset, static_cast<std::uint32_t>(publish.batch.size()));
    command.receipt_mode = receipt_mode(frame.header.flags);
    command.need_responders = (frame.header.flags & wire::kPublishNeedResponders) != 0;
    command.deadline_ns = publish.deadline_ns;
    command.need = std::move(publish.need);
    return command;
  });
}

Result<Command> unsupported(const wire::Frame& frame, std::string_view what) {
  return Command(model::UnsupportedCommand{frame.header.correlation, what});
}

/// CANCEL of what can be withdrawn, saying where a publish went.
Result<Command> cancel(const wire::Frame& frame) {
  Result<wire::Cancel> cancel = wire::decode<wire::Cancel>(frame.header, frame.body.view());
  if (!cancel) return base::fail(std::move(cancel.error()));
  if ((frame.header.flags & wire::kCancelExpired) != 0) {
    return base::fail(ErrorCode::kUnexpectedFrame, "what expired is told by a broker only");
  }
  const bool publish = cancel->target_kind == FrameKind::kPublish;
  if (!publish && cancel->target_kind != FrameKind::kRequest) {
    return base::fail(ErrorCode::kBadArgument, "only PUBLISH and REQUEST can be cancelled");
  }
  if (publish && cancel->topic == 0 && cancel->name.empty()) {
    return base::fail(ErrorCode::kBadArgument, "CANCEL does not say the topic of the publish");
  }
  return Command(model::CancelCommand{frame.header.correlation, cancel->target, cancel->target_kind,
                                      cancel->topic, cancel->name});
}

}  // namespace

Result<Command> to_command(const wire::Frame& frame) {
  const std::uint64_t correlation = frame.header.correlation;
  switch (frame.header.kind) {
    case FrameKind::kPublish:
      return publish(frame);
    case FrameKind::kCredit:
      return decoded<wire::Credit>(frame, [](const wire::Credit& credit) {
        return model::CreditCommand{credit.subscription, credit.messages, credit.bytes};
      });
    case FrameKind::kHello:
      return decoded<wire::Hello>(
          frame, [&](const wire::Hello& hello) { return model::HelloCommand{correlation, hello}; });
    case FrameKind::kOpenTopic:
      return decoded<wire::OpenTopic>(frame, [&](const wire::OpenTopic& open) {
        return model::OpenTopicCommand{correlation, open.name};
      });
    case FrameKind::kSubscribe:
      return decoded<wire::Subscribe>(frame, [&](wire::Subscribe& subscribe) {
        return model::SubscribeCommand{correlation, std::move(subscribe)};
      });
    case FrameKind::kUnsubscribe:
      return decoded<wire::Unsubscribe>(frame, [&](const wire::Unsubscribe& unsubscribe) {
        return model::UnsubscribeCommand{correlation, unsubscribe.subscription};
      });
    case FrameKind::kPing:
      return decoded<wire::Ping>(frame, [&](const wire::Ping& ping) {
        return model::PingCommand{correlation, ping.opaque};
      });
    case FrameKind::kPong:
      return decoded<wire::Pong>(frame, [](const wire::Pong&) { return model::IgnoredCommand{}; });
    case FrameKind::kRequest:
      return decoded<wire::Request>(frame, [&](const wire::Request& request) {
        return model::AdminCommand{correlation, request.verb, request.body};
      });
    case FrameKind::kAuth:
      return unsupported(frame, "authentication is not enabled on this broker");
    case FrameKind::kAck:
    case FrameKind::kNack:
    case FrameKind::kExtend:
      return unsupported(frame, "subscriptions to memory topics have no acknowledgements");
    case FrameKind::kFetch:
      return unsupported(frame, "this broker has no streams to fetch from");
    case FrameKind::kCancel:
      return cancel(frame);
    case FrameKind::kWelcome:
    case FrameKind::kTopic:
    case FrameKind::kReceipt:
    case FrameKind::kSubscribed:
    case FrameKind::kUnsubscribed:
    case FrameKind::kDeliver:
    case FrameKind::kGap:
    case FrameKind::kGrant:
    case FrameKind::kState:
    case FrameKind::kReply:
    case FrameKind::kGoaway:
    case FrameKind::kError:
      return base::fail(
          ErrorCode::kUnexpectedFrame,
          std::string(wire::frame_name(frame.header.kind)) + " is sent by a broker only");
  }
  return base::fail(ErrorCode::kUnknownKind);
}

bool encode_error(std::vector<std::byte>& out, const base::Error& error, std::uint64_t correlation,
                  std::uint32_t subject) {
  const bool closes = error.info().error_class == base::ErrorClass::close;
  wire::ErrorFrame frame;
  frame.code = static_cast<std::uint16_t>(error.code);
  frame.closes = closes;
  frame.subject = subject;
  frame.text = std::string_view(error.detail).substr(0, kErrorTextMax);
  wire::encode(out, frame, correlation);
  return closes;
}

}  // namespace sluice::protocol::native
