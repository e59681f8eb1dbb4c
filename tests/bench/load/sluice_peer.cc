#include "tests/bench/load/sluice_peer.h"

#include <algorithm>

#include "libs/wire/codec.h"

namespace sluice::bench {
namespace {

using base::ByteView;
using wire::FrameHeader;
using wire::FrameKind;

constexpr std::size_t kFloodBytes = 256U << 10;
constexpr std::uint32_t kMaxBody = 1U << 20;
constexpr std::size_t kNumberAt = 8;  // of the correlation in a frame's header
constexpr std::uint32_t kSubscription = 1;

void send_hello(Outgoing& out) {
  const wire::Hello hello{
      .max_frame = kMaxBody, .client_name = "sluice_load", .client_version = "1"};
  wire::encode(out.control(), hello, 0);
}

std::uint32_t record_bytes_of(ByteView payload) {
  wire::RecordInput input;
  input.payload = payload;
  return static_cast<std::uint32_t>(wire::encoded_record_bytes(input));
}

void append_publish(std::vector<std::byte>& out, std::uint32_t topic, ByteView batch,
                    std::uint64_t number) {
  wire::Publish publish;
  publish.topic = topic;
  publish.batch = batch;
  wire::encode(out, publish, number);
  out.insert(out.end(), batch.begin(), batch.end());
}

std::string refusal(const wire::ErrorFrame& frame) {
  return "sluice: error " + std::to_string(frame.code) + ": " + std::string(frame.text);
}

/// What both kinds of session answer alike; leaves `error` empty when all is well.
void on_common(const FrameHeader& header, ByteView body, Outgoing& out, std::string& error) {
  if (header.kind == FrameKind::kPing) {
    if (const auto ping = wire::decode<wire::Ping>(header, body)) {
      wire::encode(out.control(), wire::Pong{.opaque = ping->opaque}, header.correlation);
    }
  } else if (header.kind == FrameKind::kError) {
    const auto frame = wire::decode<wire::ErrorFrame>(header, body);
    error = frame ? refusal(*frame) : frame.error().message();
  } else if (header.kind == FrameKind::kGoaway) {
    error = "sluice: the broker is going away";
  }
}

/// Hands every whole frame in `bytes` to `on_frame`; the bytes it took, or an error.
template <typename OnFrame>
std::size_t for_each_frame(ByteView bytes, std::string& error, OnFrame on_frame) {
  std::size_t at = 0;
  while (error.empty()) {
    const ByteView rest = bytes.subspan(at);
    const auto header = wire::read_header(rest, kMaxBody);
    if (!header) {
      error = "sluice: " + header.error().message();
      break;
    }
    if (!header->has_value()) break;
    const std::size_t taken = on_frame(**header, rest);
    if (taken == 0) break;
    at += std::min(taken, rest.size());
  }
  return at;
}

}  // namespace

SluicePeer::Publisher::Publisher(const Work& work, unsigned topic)
    : work_(work), payload_(work.payload_bytes, std::byte{'x'}) {
  for (unsigned i = 0; i < work.lanes; ++i) {
    lanes_.push_back({.topic = topic_name(topic + i), .id = 0, .grant = 0, .due = {}});
  }
  send_hello(out_);
}

bool SluicePeer::Publisher::ready() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.id != 0; });
}

bool SluicePeer::Publisher::nothing_due() const {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const Lane& lane) { return lane.due.intended_ns.empty(); });
}

std::size_t SluicePeer::Publisher::on_bytes(ByteView bytes, std::uint64_t /*now_ns*/) {
  return for_each_frame(bytes, error_, [&](const FrameHeader& header, ByteView rest) {
    const std::size_t frame_bytes = wire::kFrameHeaderBytes + header.body_bytes;
    if (rest.size() < frame_bytes) return std::size_t{0};
    on_frame(header, rest.subspan(wire::kFrameHeaderBytes, header.body_bytes));
    return frame_bytes;
  });
}

void SluicePeer::Publisher::on_frame(const FrameHeader& header, ByteView body) {
  if (header.kind == FrameKind::kWelcome) {
    // The correlation of an answer tells which of them it is about.
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      wire::encode(out_.control(), wire::OpenTopic{.name = lanes_[i].topic}, i + 1);
    }
  } else if (header.kind == FrameKind::kTopic) {
    on_topic(header, body);
  } else if (header.kind == FrameKind::kGrant) {
    const auto grant = wire::decode<wire::Grant>(header, body);
    for (Lane& lane : lanes_) {
      if (grant && grant->topic == lane.id) lane.grant += grant->bytes;
    }
  } else if (header.kind == FrameKind::kReceipt) {
    on_receipt(header, body);
  } else {
    on_common(header, body, out_, error_);
  }
}

void SluicePeer::Publisher::on_topic(const FrameHeader& header, ByteView body) {
  const auto topic = wire::decode<wire::Topic>(header, body);
  if (!topic) {
    error_ = "sluice: " + topic.error().message();
    return;
  }
  if (header.correlation < 1 || header.correlation > lanes_.size()) return;
  Lane& lane = lanes_[header.correlation - 1];
  lane.id = topic->topic;
  lane.grant = topic->grant;
  if (!work_.timed()) build_flood();
}

void SluicePeer::Publisher::on_receipt(const FrameHeader& header, ByteView body) {
  const auto receipt = wire::decode<wire::Receipt>(header, body);
  if (!receipt) {
    error_ = "sluice: " + receipt.error().message();
    return;
  }
  const std::uint64_t publishes = header.correlation - receipt->first_publish + 1;
  published_.receipts += publishes;
  if (receipt->status != wire::ReceiptStatus::kAccepted) published_.refused += publishes;
  published_.dropped += receipt->dropped;
  published_.pressure = std::max<unsigned>(published_.pressure, receipt->pressure);
}

/// One PUBLISH frame, as often as fits the block; each is numbered when it is about to be sent.
void SluicePeer::Publisher::build_flood() {
  const std::uint32_t fixed =
      wire::kFrameHeaderBytes + sizeof(std::uint32_t) + wire::kBatchHeaderBytes;
  unit_messages_ = work_.messages_per_frame != 0
                       ? work_.messages_per_frame
                       : messages_in(work_.frame_bytes, fixed, record_bytes_of(payload_));
  for (std::uint32_t i = 0; i < unit_messages_; ++i) builder_.add(payload_);
  const std::vector<std::byte> batch = builder_.finish({});
  unit_batch_bytes_ = static_cast<std::uint32_t>(batch.size());
  std::vector<std::byte> frame;
  append_publish(frame, lanes_[0].id, batch, 0);
  out_.set_flood(Flood(repeat(frame, kFloodBytes), frame.size()));
}

/// One PUBLISH frame of everything that is due and granted: as a client coalesces.
void SluicePeer::Publisher::build_posted(Lane& lane) {
  std::vector<std::uint64_t>& posted = lane.due.intended_ns;
  if (posted.empty()) return;
  const std::uint64_t record = record_bytes_of(payload_);
  const std::uint64_t room = std::min<std::uint64_t>(lane.grant, work_.frame_bytes);
  if (room < wire::kBatchHeaderBytes + record) return;
  const std::uint64_t wanted =
      work_.messages_per_frame == 0 ? posted.size() : work_.messages_per_frame;
  const auto count =
      std::min<std::uint64_t>({posted.size(), wanted, (room - wire::kBatchHeaderBytes) / record});
  for (std::uint64_t i = 0; i < count; ++i) {
    write_stamp(payload_, posted[i], lane.due.sent++);
    builder_.add(payload_);
  }
  posted.erase(posted.begin(), posted.begin() + static_cast<std::ptrdiff_t>(count));
  const std::vector<std::byte> batch = builder_.finish({});
  append_publish(out_.control(), lane.id, batch, next_number_);
  lane.grant -= batch.size();
  ++next_number_;
  ++published_.frames;
  published_.messages += count;
}

ByteView SluicePeer::Publisher::next() {
  if (out_.idle()) {
    for (Lane& lane : lanes_) build_posted(lane);
  }
  if (!flooding_ || !ready()) return out_.view(0);
  const std::size_t granted = lanes_[0].grant / unit_batch_bytes_;
  Flood& flood = out_.flood();
  for (std::size_t i = 0, n = flood.new_units(granted); i < n; ++i) {
    base::store(flood.new_unit(i) + kNumberAt, next_number_ + i);
  }
  return out_.view(granted);
}

std::map<std::string, std::uint64_t> SluicePeer::Publisher::answers() const {
  return {{"receipt accepted", published_.receipts - published_.refused},
          {"receipt not accepted", published_.refused},
          {"copies told as dropped", published_.dropped},
          {"highest pressure of 255", published_.pressure}};
}

void SluicePeer::Publisher::advance(std::size_t bytes) {
  const Flood::Progress progress = out_.advance(bytes);
  lanes_[0].grant -= progress.begun * unit_batch_bytes_;
  next_number_ += progress.begun;
  published_.frames += progress.completed;
  published_.messages += progress.completed * unit_messages_;
}

SluicePeer::Subscriber::Subscriber(const Work& work, unsigned topic, LatencySink* sink)
    : work_(work),
      topic_(topic_name(topic)),
      sink_(sink),
      record_bytes_(record_bytes_of(std::vector<std::byte>(work.payload_bytes))) {
  send_hello(out_);
}

std::size_t SluicePeer::Subscriber::on_bytes(ByteView bytes, std::uint64_t now_ns) {
  const std::size_t skipped = std::min(skip_, bytes.size());
  skip_ -= skipped;
  if (skip_ > 0) return skipped;
  return skipped + for_each_frame(bytes.subspan(skipped), error_,
                                  [&](const FrameHeader& header, ByteView rest) {
                                    return on_deliver(header, rest, now_ns);
                                  });
}

std::size_t SluicePeer::Subscriber::on_deliver(const FrameHeader& header, ByteView bytes,
                                               std::uint64_t now_ns) {
  const std::size_t frame_bytes = wire::kFrameHeaderBytes + header.body_bytes;
  const bool counted = header.kind == FrameKind::kDeliver && header.flags == 0;
  const bool skips = counted && sink_ == nullptr;
  if (bytes.size() < (skips ? wire::kDeliverHeaderBytes : frame_bytes)) return 0;
  if (!counted) {
    on_frame(header, bytes.subspan(wire::kFrameHeaderBytes, header.body_bytes));
    return frame_bytes;
  }
  const auto first = base::load<std::uint32_t>(bytes.data() + 24);
  const auto count = base::load<std::uint32_t>(bytes.data() + 28);
  if (header.correlation != next_sequence_) ++delivered_.misplaced;
  next_sequence_ = header.correlation + count;
  delivered_.messages += count;
  refill(count);
  if (sink_ != nullptr) {
    const std::size_t batch_bytes = frame_bytes - wire::kDeliverHeaderBytes;
    record_latencies(bytes.subspan(wire::kDeliverHeaderBytes, batch_bytes), first, count, now_ns);
  }
  if (frame_bytes > bytes.size()) skip_ = frame_bytes - bytes.size();
  return frame_bytes;
}

void SluicePeer::Subscriber::record_latencies(ByteView batch, std::uint32_t first,
                                              std::uint32_t count, std::uint64_t now_ns) {
  ByteView records = batch.subspan(wire::kBatchHeaderBytes);
  records = records.subspan(wire::skip_records(records.data(), first));
  for (std::uint32_t i = 0; i < count; ++i) {
    const wire::RecordView record = wire::take_record(records);
    read_stamp(record.payload, now_ns, *sink_, delivered_);
  }
}

void SluicePeer::Subscriber::on_frame(const FrameHeader& header, ByteView body) {
  if (header.kind == FrameKind::kWelcome) {
    subscribe();
  } else if (header.kind == FrameKind::kSubscribed) {
    const auto subscribed = wire::decode<wire::Subscribed>(header, body);
    if (!subscribed) {
      error_ = "sluice: " + subscribed.error().message();
      return;
    }
    next_sequence_ = subscribed->next_sequence;
    ready_ = true;
  } else if (header.kind == FrameKind::kGap) {
    on_gap(header, body);
  } else if (header.kind == FrameKind::kDeliver) {
    error_ = "sluice: a delivery with an extension area; the generator counts plain ones";
  } else {
    on_common(header, body, out_, error_);
  }
}

void SluicePeer::Subscriber::on_gap(const FrameHeader& header, ByteView body) {
  const auto gap = wire::decode<wire::Gap>(header, body);
  if (!gap) {
    error_ = "sluice: " + gap.error().message();
    return;
  }
  if (header.correlation != next_sequence_) ++delivered_.misplaced;
  next_sequence_ = gap->last_sequence + 1;
  ++delivered_.gap_frames;
  delivered_.lost += gap->count;
}

void SluicePeer::Subscriber::subscribe() {
  wire::Subscribe subscribe;
  subscribe.subscription = kSubscription;
  subscribe.max_messages = static_cast<std::uint32_t>(work_.queue_messages);
  subscribe.max_bytes = work_.queue_bytes;
  subscribe.credit_messages = kCreditMessages;
  subscribe.credit_bytes = kCreditBytes;
  subscribe.overflow = work_.overflow;
  subscribe.filters = {topic_};
  wire::encode(out_.control(), subscribe, 1);
}

/// Gives back what was used once half a window is.
void SluicePeer::Subscriber::refill(std::uint64_t messages) {
  unreturned_ += messages;
  const std::uint64_t bytes = unreturned_ * record_bytes_;
  if (unreturned_ < kCreditMessages / 2 && bytes < kCreditBytes / 2) return;
  const wire::Credit credit{.subscription = kSubscription, .messages = unreturned_, .bytes = bytes};
  wire::encode(out_.control(), credit, 0);
  unreturned_ = 0;
}

}  // namespace sluice::bench
