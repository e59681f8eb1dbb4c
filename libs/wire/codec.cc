#include "libs/wire/codec.h"

#include "libs/wire/body_io.h"

// For each frame: extensions() and fields() list what it holds once, for writing and for reading;
// check() says what else must hold of a frame that was read. PUBLISH and DELIVER are in
// codec_batch.cc.

namespace sluice::wire {
namespace {

using base::ErrorCode;

constexpr Bounds kNotZero{1};
constexpr Bounds kMaxFrame{kMinMaxFrame};
constexpr Bounds kEpoch{1, UINT64_MAX / 2};
constexpr Bounds kStart{0, static_cast<std::uint64_t>(StartFrom::kTime)};
constexpr Bounds kFilters{1, 256};
constexpr Bounds kRanges{1, 256};
constexpr Bounds kListed{0, 16};

template <typename Io>
void fields(Io& io, typename Io::template Of<Hello>& f) {
  io.number("magic", f.magic);
  io.number("version_min", f.version_min, kNotZero);
  io.number("version_max", f.version_max, kNotZero);
  io.number("features", f.features);
  io.number("max_frame", f.max_frame, kMaxFrame);
  io.number("producer_id", f.producer_id);
  io.text("client_name", f.client_name);
  io.text("client_version", f.client_version);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Welcome>& f) {
  io.number("version", f.version, kNotZero);
  io.reserved(2);
  io.number("features", f.features);
  io.number("max_frame", f.max_frame, kMaxFrame);
  io.number("keepalive_ms", f.keepalive_ms);
  io.number("session_id", f.session_id);
  io.number("wall_time_ns", f.wall_time_ns);
  io.number("named_grant", f.named_grant);
  io.text("node_name", f.node_name);
  io.text("broker_version", f.broker_version);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Auth>& f) {
  io.text("mechanism", f.mechanism);
  io.long_bytes("data", f.data);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<OpenTopic>& f) {
  io.text("name", f.name);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Topic>& f) {
  io.number("topic", f.topic, kNotZero);
  io.reserved(4);
  io.number("grant", f.grant);
  io.text("name", f.name);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<ReceiptSubscription>& f) {
  io.number("copies", f.copies);
  io.number("reason", f.reason);
  io.text("name", f.name);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Receipt>& f) {
  io.number("first_publish", f.first_publish, kNotZero);
  io.choice("status", f.status, {0, static_cast<std::uint64_t>(ReceiptStatus::kDuplicate)});
  io.choice("durability", f.durability, {0, static_cast<std::uint64_t>(Durability::kQuorum)});
  io.number("pressure", f.pressure);
  io.reserved(1);
  io.number("reason", f.reason);
  io.template list_size<std::uint16_t>("number of subscriptions", f.subscriptions, kListed);
  io.number("retry_after_ms", f.retry_after_ms);
  io.number("unlisted", f.unlisted);
  io.number("messages", f.messages);
  io.number("matched", f.matched);
  io.number("accepted", f.accepted);
  io.number("spilled", f.spilled);
  io.number("dropped", f.dropped);
  io.number("rejected", f.rejected);
  io.number("sequence", f.sequence);
  for (auto& subscription : f.subscriptions) fields<Io>(io, subscription);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Subscribe>& f) {
  io.number("subscription", f.subscription, kNotZero);
  io.number("max_messages", f.max_messages);
  io.number("max_bytes", f.max_bytes);
  io.number("max_lag_ns", f.max_lag_ns);
  io.number("credit_messages", f.credit_messages);
  io.number("credit_bytes", f.credit_bytes);
  io.choice("from", f.from, kStart);
  io.choice("ack_mode", f.ack_mode, {0, static_cast<std::uint64_t>(AckMode::kAuto)});
  io.template list_size<std::uint16_t>("number of filters", f.filters, kFilters);
  io.reserved(4);
  io.number("from_value", f.from_value);
  io.text("name", f.name);
  io.text("group", f.group);
  io.text("overflow", f.overflow);
  for (auto& filter : f.filters) io.text("filter", filter);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Subscribed>& f) {
  io.number("subscription", f.subscription, kNotZero);
  io.number("max_messages", f.max_messages);
  io.number("max_bytes", f.max_bytes);
  io.number("max_lag_ns", f.max_lag_ns);
  io.number("next_sequence", f.next_sequence);
  io.text("overflow", f.overflow);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Unsubscribe>& f) {
  io.number("subscription", f.subscription, kNotZero);
  io.reserved(4);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Unsubscribed>& f) {
  io.number("subscription", f.subscription, kNotZero);
  io.reserved(4);
  io.number("matched", f.matched);
  io.number("delivered", f.delivered);
  io.number("dropped", f.dropped);
  io.number("discarded", f.discarded);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Credit>& f) {
  io.number("subscription", f.subscription, kNotZero);
  io.reserved(4);
  io.number("messages", f.messages);
  io.number("bytes", f.bytes);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Gap>& f) {
  io.number("subscription", f.subscription, kNotZero);
  io.choice("reason", f.reason, kNotZero);
  io.reserved(2);
  io.number("last_sequence", f.last_sequence);
  io.number("count", f.count, kNotZero);
  io.number("bytes", f.bytes);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<SequenceRange>& f) {
  io.number("first of range", f.first);
  io.number("last of range", f.last, {f.first});
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Ack>& f) {
  io.number("subscription", f.subscription, kNotZero);
  io.template list_size<std::uint32_t>("number of ranges", f.ranges, kRanges);
  for (auto& range : f.ranges) fields<Io>(io, range);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Nack>& f) {
  io.number("subscription", f.subscription, kNotZero);
  io.number("delay_ms", f.delay_ms);
  fields<Io>(io, f.range);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Extend>& f) {
  io.number("subscription", f.subscription, kNotZero);
  io.number("extend_ms", f.extend_ms);
  fields<Io>(io, f.range);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Fetch>& f) {
  io.choice("from", f.from, kStart);
  io.reserved(3);
  io.number("max_messages", f.max_messages);
  io.number("from_value", f.from_value);
  io.number("max_bytes", f.max_bytes);
  io.number("deadline_ns", f.deadline_ns);
  io.text("stream", f.stream);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Cancel>& f) {
  io.number("target", f.target);
  io.choice("target_kind", f.target_kind, {1, static_cast<std::uint64_t>(FrameKind::kError)});
  io.reserved(7);
  io.number("withdrawn", f.withdrawn);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Grant>& f) {
  io.number("topic", f.topic);
  io.reserved(4);
  io.number("bytes", f.bytes);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<State>& f) {
  io.choice("what", f.what, kNotZero);
  io.number("level", f.level);
  io.number("reason", f.reason);
  io.number("topic", f.topic);
  io.number("retry_after_ms", f.retry_after_ms);
  io.text("text", f.text);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Request>& f) {
  io.text("verb", f.verb);
  io.long_text("body", f.body);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Reply>& f) {
  io.number("error", f.error);
  io.reserved(2);
  io.long_text("body", f.body);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Ping>& f) {
  io.number("opaque", f.opaque);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Pong>& f) {
  io.number("opaque", f.opaque);
  io.number("wall_time_ns", f.wall_time_ns);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<Goaway>& f) {
  io.number("reason", f.reason);
  io.reserved(2);
  io.number("deadline_ms", f.deadline_ms);
  io.text("text", f.text);
}

template <typename Io>
void fields(Io& io, typename Io::template Of<ErrorFrame>& f) {
  io.number("code", f.code);
  io.yes_no("closes", f.closes);
  io.reserved(1);
  io.number("subject", f.subject);
  io.text("text", f.text);
}

template <typename T>
constexpr bool has_extensions =
    std::is_same_v<T, Hello> || std::is_same_v<T, Welcome> || std::is_same_v<T, Receipt> ||
    std::is_same_v<T, Subscribe> || std::is_same_v<T, Subscribed> || std::is_same_v<T, Cancel>;

template <typename Io>
void extensions(Io& io, typename Io::template Of<Hello>& f) {
  io.tag(1, f.producer_epoch != 0, [&] { io.number("producer_epoch", f.producer_epoch, kEpoch); });
}

template <typename Io>
void extensions(Io& io, typename Io::template Of<Welcome>& f) {
  io.tag(1, f.producer_epoch != 0, [&] {
    io.number("producer_epoch", f.producer_epoch, kEpoch);
    io.number("producer_next", f.producer_next);
  });
}

template <typename Io>
void extensions(Io& io, typename Io::template Of<Receipt>& f) {
  io.tag(1, !f.text.empty(), [&] { io.rest_text("text", f.text, kReceiptTextMax); });
}

template <typename Io>
void extensions(Io& io, typename Io::template Of<Subscribe>& f) {
  io.tag(1, f.resume.session != 0, [&] {
    io.number("resumed session", f.resume.session, kNotZero);
    io.number("resumed subscription", f.resume.subscription, kNotZero);
    io.number("last sequence seen", f.resume.last_sequence);
  });
}

template <typename Io>
void extensions(Io& io, typename Io::template Of<Subscribed>& f) {
  io.tag(1, f.resumed.known, [&] {
    io.mark_present(f.resumed.known);
    io.number("matched", f.resumed.matched);
    io.number("discarded", f.resumed.discarded);
  });
}

template <typename Io>
void extensions(Io& io, typename Io::template Of<Cancel>& f) {
  io.tag(1, f.topic != 0, [&] { io.number("topic", f.topic, kNotZero); });
  io.tag(2, !f.name.empty(), [&] { io.rest_text("name", f.name, kTopicNameMax); });
}

/// `in` has passed the fields, which begin at `at`.
template <typename T>
void check(BodyReader&, const std::byte*, const FrameHeader&, const T&) {}

void check(BodyReader& in, const std::byte* at, const FrameHeader&, const Hello& f) {
  if (f.magic != kProtocolMagic) {
    in.fail_at(ErrorCode::kBadMagic, "magic", at);
  } else if (f.version_min > f.version_max) {
    in.fail_at(ErrorCode::kBadFrame, "version_min over version_max", at + 4);
  }
}

void check(BodyReader& in, const std::byte* at, const FrameHeader& header, const Receipt& f) {
  if (f.first_publish > header.correlation) {
    in.fail_at(ErrorCode::kBadFrame, "first_publish behind the last", at);
  }
}

void check(BodyReader& in, const std::byte* at, const FrameHeader&, const Cancel& f) {
  if (f.topic != 0 && !f.name.empty()) {
    in.fail_at(ErrorCode::kBadFrame, "topic id beside a name", at);
  }
}

void check(BodyReader& in, const std::byte* at, const FrameHeader& header, const Gap& f) {
  if (f.last_sequence < header.correlation) {
    in.fail_at(ErrorCode::kBadFrame, "last_sequence before the first", at + 8);
  } else if (f.count - 1 > f.last_sequence - header.correlation) {
    in.fail_at(ErrorCode::kBadFrame, "count over its range", at + 16);
  }
}

template <typename T>
void encode_fields(std::vector<std::byte>& out, const T& frame, const FrameHeader& header) {
  ASSERT((header.flags & kFlagExtension) == 0);
  BodyWriter writer(out, header);
  if constexpr (has_extensions<T>) extensions<BodyWriter>(writer, frame);
  fields<BodyWriter>(writer, frame);
  writer.finish();
}

template <typename T>
base::Result<T> decode_fields(const FrameHeader& header, ByteView body) {
  DASSERT(body.size() == header.body_bytes);
  BodyReader in(body);
  T frame;
  in.begin_extensions(header.flags);
  if constexpr (has_extensions<T>) extensions<BodyReader>(in, frame);
  const std::byte* const first_field = in.at();
  fields<BodyReader>(in, frame);
  if (in.ok()) check(in, first_field, header, frame);
  if (in.ok() && !in.at_end()) {
    in.fail_at(ErrorCode::kBadFrame, "bytes behind the last field", in.at());
  }
  if (!in.ok()) return base::fail(in.error(header.kind));
  return frame;
}

}  // namespace

#define SLUICE_WIRE_CODEC(T, kind_)                                                         \
  void encode(std::vector<std::byte>& out, const T& frame, std::uint64_t correlation,       \
              std::uint8_t flags) {                                                         \
    encode_fields(out, frame, {.kind = kind_, .flags = flags, .correlation = correlation}); \
  }                                                                                         \
  template <>                                                                               \
  base::Result<T> decode<T>(const FrameHeader& header, ByteView body) {                     \
    ASSERT(header.kind == (kind_));                                                         \
    return decode_fields<T>(header, body);                                                  \
  }

SLUICE_WIRE_CODEC(Hello, FrameKind::kHello)
SLUICE_WIRE_CODEC(Welcome, FrameKind::kWelcome)
SLUICE_WIRE_CODEC(Auth, FrameKind::kAuth)
SLUICE_WIRE_CODEC(OpenTopic, FrameKind::kOpenTopic)
SLUICE_WIRE_CODEC(Topic, FrameKind::kTopic)
SLUICE_WIRE_CODEC(Receipt, FrameKind::kReceipt)
SLUICE_WIRE_CODEC(Subscribe, FrameKind::kSubscribe)
SLUICE_WIRE_CODEC(Subscribed, FrameKind::kSubscribed)
SLUICE_WIRE_CODEC(Unsubscribe, FrameKind::kUnsubscribe)
SLUICE_WIRE_CODEC(Unsubscribed, FrameKind::kUnsubscribed)
SLUICE_WIRE_CODEC(Credit, FrameKind::kCredit)
SLUICE_WIRE_CODEC(Gap, FrameKind::kGap)
SLUICE_WIRE_CODEC(Ack, FrameKind::kAck)
SLUICE_WIRE_CODEC(Nack, FrameKind::kNack)
SLUICE_WIRE_CODEC(Extend, FrameKind::kExtend)
SLUICE_WIRE_CODEC(Fetch, FrameKind::kFetch)
SLUICE_WIRE_CODEC(Cancel, FrameKind::kCancel)
SLUICE_WIRE_CODEC(Grant, FrameKind::kGrant)
SLUICE_WIRE_CODEC(State, FrameKind::kState)
SLUICE_WIRE_CODEC(Request, FrameKind::kRequest)
SLUICE_WIRE_CODEC(Reply, FrameKind::kReply)
SLUICE_WIRE_CODEC(Ping, FrameKind::kPing)
SLUICE_WIRE_CODEC(Pong, FrameKind::kPong)
SLUICE_WIRE_CODEC(Goaway, FrameKind::kGoaway)
SLUICE_WIRE_CODEC(ErrorFrame, FrameKind::kError)

std::string_view gap_reason_name(GapReason reason) noexcept {
  switch (reason) {
    case GapReason::kDroppedOldest:
      return "dropped_oldest";
    case GapReason::kDroppedNewest:
      return "dropped_newest";
    case GapReason::kConflated:
      return "conflated";
    case GapReason::kExpired:
      return "expired";
    case GapReason::kDisconnected:
      return "disconnected";
    case GapReason::kLagged:
      return "lagged";
    case GapReason::kTooLarge:
      return "too_large";
    case GapReason::kRejected:
      return "rejected";
    case GapReason::kCancelled:
      return "cancelled";
    case GapReason::kSqueezed:
      return "squeezed";
    case GapReason::kSpillLost:
      return "spill_lost";
  }
  return "unknown";  // a newer broker's
}

}  // namespace sluice::wire
