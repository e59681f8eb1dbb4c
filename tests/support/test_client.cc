#include "tests/support/test_client.h"

#include <algorithm>
#include <cstring>

#include "libs/base/assert.h"
#include "libs/wire/batch.h"

namespace sluice::testing {

using base::ByteView;

namespace {

constexpr std::uint64_t kCancels = 300000;  // where their correlations begin

std::string text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ByteView bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string named(std::string_view name, std::uint64_t value) {
  return value == 0 ? std::string() : " " + std::string(name) + "=" + number(value);
}

// Under 100 a GapReason, else an ErrorCode, as ReceiptSubscription says.
std::string reason_name(std::uint16_t reason) {
  if (reason < 100) {
    return std::string(wire::gap_reason_name(static_cast<wire::GapReason>(reason)));
  }
  return std::string(base::error_info(static_cast<base::ErrorCode>(reason)).name);
}

std::string error_name(std::uint16_t code) {
  return std::string(base::error_info(static_cast<base::ErrorCode>(code)).name);
}

constexpr std::string_view kStatusNames[] = {"accepted", "partial",   "rejected",
                                             "expired",  "cancelled", "duplicate"};

}  // namespace

// --- What it says --------------------------------------------------------------------------

void TestClient::hello(std::string_view name, std::uint64_t producer_id,
                       std::uint64_t producer_epoch) {
  wire::Hello hello;
  hello.producer_epoch = producer_epoch;
  hello.producer_id = producer_id;
  hello.client_name = name;
  say(hello, 1);
}

void TestClient::open_topic(std::string_view name) { say(wire::OpenTopic{name}, 2); }

std::uint64_t TestClient::publish(std::string_view topic, const PublishOptions& options) {
  return publish_to(0, topic, options);
}

std::uint64_t TestClient::publish_open(std::string_view topic, const PublishOptions& options) {
  return publish_to(topic_id(topic), {}, options);
}

std::uint64_t TestClient::publish_to(std::uint32_t topic, std::string_view name,
                                     const PublishOptions& what) {
  wire::BatchBuilder builder;
  ASSERT(what.keys.empty() || what.keys.size() == what.payloads.size());
  for (std::size_t i = 0; i < what.payloads.size(); ++i) {
    const base::ByteView payload = bytes_of(what.payloads[i]);
    if (what.keys.empty()) {
      builder.add(payload);
    } else {
      builder.add(wire::RecordInput{.key = bytes_of(what.keys[i]), .payload = payload});
    }
  }
  const std::vector<std::byte> batch =
      builder.finish({.compression = what.compression,
                      .producer_id = what.producer_id,
                      .producer_sequence = what.producer_sequence});
  wire::Publish frame;
  frame.topic = topic;
  frame.name = name;
  frame.batch = batch;
  frame.deadline_ns = what.deadline_ns;
  frame.need = what.need;
  const std::uint8_t by_name = name.empty() ? 0 : wire::kPublishNamed;
  say(frame, ++last_publish_, static_cast<std::uint8_t>(what.flags | by_name));
  say_bytes(batch);
  std::uint64_t& left = windows_[topic];
  left -= std::min<std::uint64_t>(left, batch.size());
  return last_publish_;
}

void TestClient::subscribe(const SubscribeOptions& options) {
  wire::Subscribe frame;
  frame.subscription = options.id;
  frame.max_messages = options.max_messages;
  frame.max_bytes = options.max_bytes;
  frame.max_lag_ns = options.max_lag_ns;
  frame.credit_messages = options.credit;
  frame.credit_bytes = options.credit == 0 ? 0 : 1U << 29;
  frame.name = options.name;
  frame.group = options.group;
  frame.overflow = options.overflow;
  frame.filters.assign(options.filters.begin(), options.filters.end());
  say(frame, 100 + options.id);
}

void TestClient::unsubscribe(std::uint32_t id) { say(wire::Unsubscribe{id}, 200 + id); }

void TestClient::cancel(std::string_view topic, std::uint64_t target) {
  wire::Cancel frame;
  frame.target = target;
  frame.name = topic;
  say(frame, kCancels + target);
}

void TestClient::credit(std::uint32_t id, std::uint64_t messages, std::uint64_t bytes) {
  say(wire::Credit{.subscription = id, .messages = messages, .bytes = bytes});
}

bool TestClient::act(std::size_t most) {
  if (gone_) return false;
  bool acted = false;
  if (connection_ == nullptr) {
    connection_ = shard_->open(link_, "peer");
    if (connection_ == nullptr) {
      gone_ = true;
      line("REFUSED");
      return true;
    }
    acted = true;
  }
  if (link_.closed()) {
    gone_ = true;
    listen();
    line("CLOSED");
    return true;
  }
  if (vanishes_) {
    hand_over(vanish_after_);
    gone_ = true;
    const base::Error error{base::ErrorCode::kConnectionLost, "test"};
    shard_->closed(*connection_, &error);
    return true;
  }
  if (link_.drained()) {
    shard_->writable(*connection_);
    acted = true;
  }
  if (hand_over(most) > 0) return true;
  if (half_closed_ && outgoing_.empty() && link_.reading()) {
    half_closed_ = false;
    shard_->ended(*connection_);
    return true;
  }
  return acted;
}

std::size_t TestClient::hand_over(std::size_t most) {
  most = std::min(most, outgoing_.size());
  if (most == 0 || !link_.reading()) return 0;
  const base::MutableByteView room = shard_->prepare(*connection_);
  const std::size_t bytes = std::min(most, room.size());
  std::memcpy(room.data(), outgoing_.data(), bytes);
  outgoing_.erase(outgoing_.begin(), outgoing_.begin() + static_cast<std::ptrdiff_t>(bytes));
  shard_->received(*connection_, bytes);
  return bytes;
}

// --- What it hears -------------------------------------------------------------------------

std::string TestClient::heard() { return std::exchange(lines_, {}); }

void TestClient::listen() {
  const std::vector<std::byte> bytes = link_.received();
  incoming_.insert(incoming_.end(), bytes.begin(), bytes.end());
  std::size_t at = 0;
  for (;;) {
    const ByteView rest = ByteView(incoming_).subspan(at);
    const auto header = wire::read_header(rest, wire::kMaxMaxFrame);
    ASSERT(header.has_value());
    if (!header->has_value()) break;
    const std::size_t whole = wire::kFrameHeaderBytes + (*header)->body_bytes;
    if (rest.size() < whole) break;
    hear(**header, rest.subspan(wire::kFrameHeaderBytes, (*header)->body_bytes));
    at += whole;
  }
  incoming_.erase(incoming_.begin(), incoming_.begin() + static_cast<std::ptrdiff_t>(at));
}

template <typename Frame>
Frame TestClient::decoded(const wire::FrameHeader& header, ByteView body) {
  auto frame = wire::decode<Frame>(header, body);
  ASSERT(frame.has_value());
  return *frame;
}

void TestClient::hear(const wire::FrameHeader& header, ByteView body) {
  switch (header.kind) {
    case wire::FrameKind::kTopic:
      return hear_topic(header, body);
    case wire::FrameKind::kReceipt:
      return hear_receipt(header, body);
    case wire::FrameKind::kSubscribed:
      return hear_subscribed(header, body);
    case wire::FrameKind::kUnsubscribed:
      return hear_unsubscribed(header, body);
    case wire::FrameKind::kDeliver:
      return hear_deliver(header, body);
    case wire::FrameKind::kGap:
      return hear_gap(header, body);
    default:
      return hear_other(header, body);
  }
}

void TestClient::hear_topic(const wire::FrameHeader& header, ByteView body) {
  const auto frame = decoded<wire::Topic>(header, body);
  ASSERT(frame.topic != 0 && !frame.name.empty());
  topic_names_[frame.topic] = frame.name;
  if (header.correlation == 0) {
    ASSERT(frame.grant == 0);
    return;
  }
  if (frame.grant > 0) windows_[frame.topic] = frame.grant;
  line("TOPIC " + std::string(frame.name) + (frame.grant == 0 ? " again" : ""));
}

void TestClient::hear_receipt(const wire::FrameHeader& header, ByteView body) {
  ReceiptRow row;
  row.receipt = decoded<wire::Receipt>(header, body);
  row.first = row.receipt.first_publish;
  row.last = header.correlation;
  const wire::Receipt& r = row.receipt;
  ASSERT(row.first > 0 && row.first <= row.last);
  std::string text = "RECEIPT " + number(row.first);
  if (row.last != row.first) text += "-" + number(row.last);
  text += " " + std::string(kStatusNames[static_cast<std::size_t>(r.status)]);
  if (r.reason != 0) text += " " + error_name(r.reason);
  text += named("messages", r.messages) + named("matched", r.matched) +
          named("accepted", r.accepted) + named("spilled", r.spilled) +
          named("dropped", r.dropped) + named("rejected", r.rejected) +
          named("unlisted", r.unlisted);
  for (const wire::ReceiptSubscription& s : r.subscriptions) {
    row.names.emplace_back(s.name);
    row.refused.push_back({std::string(s.name), s.copies, s.reason});
    text += " [" + std::string(s.name) + " " + number(s.copies) + " " + reason_name(s.reason) + "]";
  }
  row.receipt.subscriptions.clear();
  row.text = std::exchange(row.receipt.text, {});
  receipts_.push_back(std::move(row));
  line(std::move(text));
}

void TestClient::hear_subscribed(const wire::FrameHeader& header, ByteView body) {
  const auto frame = decoded<wire::Subscribed>(header, body);
  subscribed_[frame.subscription] = true;
  std::string text =
      "SUBSCRIBED " + number(frame.subscription) + named("next", frame.next_sequence);
  if (frame.resumed.known) {
    text += " resumed=" + number(frame.resumed.matched) + "/" + number(frame.resumed.discarded);
  }
  line(std::move(text));
}

void TestClient::hear_unsubscribed(const wire::FrameHeader& header, ByteView body) {
  const auto frame = decoded<wire::Unsubscribed>(header, body);
  accounts_[frame.subscription] = frame;
  subscribed_.erase(frame.subscription);
  line("UNSUBSCRIBED " + number(frame.subscription) + named("matched", frame.matched) +
       named("delivered", frame.delivered) + named("dropped", frame.dropped) +
       named("discarded", frame.discarded));
}

void TestClient::hear_deliver(const wire::FrameHeader& header, ByteView body) {
  const auto frame = decoded<wire::Deliver>(header, body);
  const auto checked = wire::check_batch(frame.batch, wire::kMaxMaxFrame);
  ASSERT(checked.has_value());
  ASSERT(frame.count > 0 && frame.first + frame.count <= checked->count);
  ASSERT(topic_names_.contains(frame.topic));
  ASSERT(subscribed_.contains(frame.subscription));
  const std::string& topic = topic_names_.at(frame.topic);
  std::vector<std::byte> storage;
  const auto records = wire::batch_records(frame.batch, storage);
  ASSERT(records.has_value());
  ByteView rest = *records;
  model::Slice meant = model::Slice::whole(base::SharedBytes::copy_of(frame.batch), {}, *checked);
  if (frame.first > 0) meant.split_front(frame.first);
  if (frame.count < meant.count) meant = meant.split_front(frame.count);
  std::string text =
      "DELIVER " + number(frame.subscription) + " #" + number(header.correlation) + " " + topic;
  for (std::uint32_t i = 0; i < frame.first + frame.count; ++i) {
    const wire::RecordView record = wire::take_record(rest);
    if (i < frame.first) continue;
    Told told;
    told.sequence = header.correlation + i - frame.first;
    told.topic = topic;
    told.payload = text_of(record.payload);
    const auto place = static_cast<std::uint32_t>(i - frame.first);
    told.bytes = meant.bytes_of_first(place + 1) - meant.bytes_of_first(place);
    text += " " + told.payload;
    told_[frame.subscription].push_back(std::move(told));
  }
  line(std::move(text));
}

void TestClient::hear_gap(const wire::FrameHeader& header, ByteView body) {
  const auto frame = decoded<wire::Gap>(header, body);
  ASSERT(frame.count > 0 && header.correlation <= frame.last_sequence);
  ASSERT(subscribed_.contains(frame.subscription));
  Told told;
  told.sequence = header.correlation;
  told.last = frame.last_sequence;
  told.count = frame.count;
  told.bytes = frame.bytes;
  told.reason = frame.reason;
  told_[frame.subscription].push_back(told);
  line("GAP " + number(frame.subscription) + " #" + number(told.sequence) + "-" +
       number(told.last) + " " + number(told.count) + " " +
       std::string(wire::gap_reason_name(frame.reason)));
}

void TestClient::hear_other(const wire::FrameHeader& header, ByteView body) {
  switch (header.kind) {
    case wire::FrameKind::kWelcome: {
      const auto frame = decoded<wire::Welcome>(header, body);
      session_ = frame.session_id;
      windows_[0] = frame.named_grant;
      producer_epoch_ = frame.producer_epoch;
      producer_next_ = frame.producer_next;
      return line("WELCOME");
    }
    case wire::FrameKind::kGrant: {
      const auto frame = decoded<wire::Grant>(header, body);
      ASSERT(frame.bytes > 0 && windows_.contains(frame.topic));
      windows_[frame.topic] += frame.bytes;
      return;
    }
    case wire::FrameKind::kError: {
      const auto frame = decoded<wire::ErrorFrame>(header, body);
      errors_.push_back(frame.code);
      if (header.correlation >= kCancels && header.correlation <= kCancels + last_publish_) {
        withdrawn_.push_back({header.correlation, header.correlation - kCancels, 0, false});
      }
      return line("ERROR " + error_name(frame.code) + (frame.closes ? " closes" : " stays"));
    }
    case wire::FrameKind::kState: {
      const auto frame = decoded<wire::State>(header, body);
      return line("STATE " + number(static_cast<std::uint64_t>(frame.what)) +
                  named("level", frame.level) +
                  (frame.reason == 0 ? "" : " " + error_name(frame.reason)));
    }
    case wire::FrameKind::kGoaway: {
      const auto frame = decoded<wire::Goaway>(header, body);
      return line("GOAWAY " + error_name(frame.reason));
    }
    case wire::FrameKind::kCancel: {
      const auto frame = decoded<wire::Cancel>(header, body);
      const bool expired = (header.flags & wire::kCancelExpired) != 0;
      withdrawn_.push_back({header.correlation, frame.target, frame.withdrawn, expired});
      return line((expired ? "EXPIRED " : "CANCEL ") + number(frame.target) +
                  (expired ? " copies=" : " withdrawn=") + number(frame.withdrawn));
    }
    case wire::FrameKind::kPong:
      return line("PONG " + number(decoded<wire::Pong>(header, body).opaque));
    case wire::FrameKind::kReply:
      return line("REPLY " + std::string(decoded<wire::Reply>(header, body).body));
    default:
      ASSERT(false);  // a frame that only clients send
  }
}

std::uint32_t TestClient::topic_id(std::string_view name) const {
  // The broker may have named a topic in deliveries under one number and opened it under another.
  auto it = std::find_if(topic_names_.begin(), topic_names_.end(), [&](const auto& entry) {
    return entry.second == name && windows_.contains(entry.first);
  });
  if (it == topic_names_.end()) {
    it = std::find_if(topic_names_.begin(), topic_names_.end(),
                      [&](const auto& entry) { return entry.second == name; });
  }
  ASSERT(it != topic_names_.end());
  return it->first;
}

bool TestClient::opened(std::string_view name) const {
  return std::any_of(topic_names_.begin(), topic_names_.end(), [&](const auto& entry) {
    return entry.second == name && windows_.contains(entry.first);
  });
}

std::uint64_t TestClient::window(std::string_view topic) const {
  return windows_.at(topic.empty() ? 0 : topic_id(topic));
}

}  // namespace sluice::testing
