#include "tests/bench/overload/mqtt_peer.h"

#include <algorithm>
#include <cstdio>

namespace sluice::bench {
namespace {

using base::ByteView;

enum Type : std::uint8_t {
  kConnect = 1,
  kConnack = 2,
  kPublish = 3,
  kPuback = 4,
  kSubscribe = 8,
  kSuback = 9,
  kDisconnect = 14,
};

constexpr std::uint8_t kReceiveMaximum = 0x21;
constexpr std::size_t kMaxPacket = 1U << 20;

void add_u16(std::vector<std::byte>& out, std::size_t value) {
  out.push_back(static_cast<std::byte>(value >> 8));
  out.push_back(static_cast<std::byte>(value));
}

void add_text(std::vector<std::byte>& out, std::string_view text) {
  add_u16(out, text.size());
  const auto bytes = base::as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

std::size_t u16_at(ByteView bytes, std::size_t at) {
  return std::to_integer<std::size_t>(bytes[at]) << 8 | std::to_integer<std::size_t>(bytes[at + 1]);
}

std::vector<std::byte> packet_of(std::uint8_t type, std::uint8_t flags,
                                 const std::vector<std::byte>& body) {
  std::vector<std::byte> out{static_cast<std::byte>(type << 4 | flags)};
  std::size_t left = body.size();
  do {
    const std::size_t more = left > 0x7f ? 0x80 : 0;
    out.push_back(static_cast<std::byte>(more | (left & 0x7f)));
    left >>= 7;
  } while (left > 0);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

/// Bytes of the value of a property that CONNACK may have; its texts say their own length.
std::size_t property_bytes(std::uint8_t id, ByteView value) {
  switch (id) {
    case 0x11:  // session expiry
    case 0x27:  // maximum packet size
      return 4;
    case 0x13:  // server keep alive
    case 0x22:  // topic alias maximum
    case kReceiveMaximum:
      return 2;
    case 0x26:  // user property: two texts
      if (value.size() < 2) return value.size();
      return 2 + u16_at(value, 0) +
             property_bytes(0x1f, value.subspan(std::min(value.size(), 2 + u16_at(value, 0))));
    case 0x12:  // assigned client identifier
    case 0x15:  // authentication method
    case 0x16:  // authentication data
    case 0x1a:  // response information
    case 0x1c:  // server reference
    case 0x1f:  // reason string
      return value.size() < 2 ? value.size() : 2 + u16_at(value, 0);
    default:
      return 1;
  }
}

std::string reason_text(const char* packet, std::size_t reason) {
  char text[40];
  std::snprintf(text, sizeof text, "%s 0x%02zx", packet, reason);
  return text;
}

/// Feeds whole packets to `on_packet`; the bytes it took.
template <typename OnPacket>
std::size_t for_each_packet(ByteView bytes, const std::string& error, OnPacket on_packet) {
  std::size_t at = 0;
  while (error.empty()) {
    const auto packet = mqtt_packet(bytes.subspan(at));
    if (!packet) break;
    on_packet(*packet);
    at += std::max<std::size_t>(packet->bytes, 1);
  }
  return std::min(at, bytes.size());
}

}  // namespace

std::optional<MqttPacket> mqtt_packet(ByteView bytes) {
  std::size_t body_bytes = 0;
  for (std::size_t at = 1; at < bytes.size(); ++at) {
    const auto byte = std::to_integer<std::size_t>(bytes[at]);
    body_bytes |= (byte & 0x7f) << (7 * (at - 1));
    if (byte < 0x80) {
      if (body_bytes > kMaxPacket) return MqttPacket{};
      if (bytes.size() < at + 1 + body_bytes) return std::nullopt;
      const auto first = std::to_integer<std::uint8_t>(bytes[0]);
      return MqttPacket{.type = static_cast<std::uint8_t>(first >> 4),
                        .flags = static_cast<std::uint8_t>(first & 0x0f),
                        .body = bytes.subspan(at + 1, body_bytes),
                        .bytes = at + 1 + body_bytes};
    }
    if (at == 4) return MqttPacket{};
  }
  return std::nullopt;
}

std::uint16_t mqtt_receive_maximum(ByteView connack) {
  // Flags, reason, length of the properties (one byte is enough for what brokers send here).
  std::size_t at = 3;
  while (at < connack.size()) {
    const auto id = std::to_integer<std::uint8_t>(connack[at]);
    const ByteView value = connack.subspan(at + 1);
    if (id == kReceiveMaximum && value.size() >= 2) {
      return static_cast<std::uint16_t>(u16_at(value, 0));
    }
    at += 1 + property_bytes(id, value);
  }
  return 65'535;
}

void MqttSession::send_connect() {
  std::vector<std::byte> body;
  add_text(body, "MQTT");
  body.push_back(std::byte{5});     // version
  body.push_back(std::byte{0x02});  // clean start
  add_u16(body, 0);                 // keep alive: off
  body.push_back(std::byte{3});     // properties
  body.push_back(std::byte{kReceiveMaximum});
  add_u16(body, 65'535);
  add_text(body, "");  // the broker chooses an identifier
  out_.control() = packet_of(kConnect, 0, body);
}

void MqttSession::on_other(const MqttPacket& packet) {
  if (packet.type == kDisconnect) {
    fail(reason_text("DISCONNECT", packet.body.empty() ? 0 : u16_at(packet.body, 0) >> 8));
  } else {
    fail("a packet of type " + std::to_string(packet.type));
  }
}

MqttPublisher::MqttPublisher(const Work& work, unsigned topic, unsigned qos) : qos_(qos) {
  std::vector<std::byte> body;
  add_text(body, topic_name(topic));
  const std::size_t id_at = body.size();
  if (qos > 0) add_u16(body, 0);
  body.push_back(std::byte{0});  // no properties
  const std::size_t payload_at = body.size();
  body.resize(body.size() + work.payload_bytes, std::byte{'x'});
  message_ = packet_of(kPublish, static_cast<std::uint8_t>(qos << 1), body);
  const std::size_t head_bytes = message_.size() - body.size();
  packet_id_at_ = head_bytes + id_at;
  payload_at_ = head_bytes + payload_at;
  send_connect();
}

std::size_t MqttPublisher::on_bytes(ByteView bytes, std::uint64_t /*now_ns*/) {
  return for_each_packet(bytes, error_, [&](const MqttPacket& packet) { on_packet(packet); });
}

void MqttPublisher::on_packet(const MqttPacket& packet) {
  if (packet.type == kConnack && packet.body.size() >= 2) {
    if (packet.body[1] != std::byte{0}) fail(reason_text("CONNACK", u16_at(packet.body, 0) & 0xff));
    receive_maximum_ = mqtt_receive_maximum(packet.body);
    ready_ = true;
  } else if (packet.type == kPuback && packet.body.size() >= 2) {
    const auto reason =
        packet.body.size() > 2 ? std::to_integer<std::size_t>(packet.body[2]) : std::size_t{0};
    ++answers_[reason_text("PUBACK", reason)];
    if (in_flight_ > 0) --in_flight_;
  } else {
    on_other(packet);
  }
}

void MqttPublisher::post(std::uint64_t intended_ns, unsigned /*lane*/) {
  due_.intended_ns.push_back(intended_ns);
}

/// Everything that is due and, at QoS 1, that the broker is ready to have in flight.
ByteView MqttPublisher::next() {
  if (!ready_ || !out_.idle() || due_.intended_ns.empty()) return out_.view(0);
  std::size_t count = due_.intended_ns.size();
  if (qos_ > 0) count = std::min<std::size_t>(count, receive_maximum_ - in_flight_);
  const ByteView message(message_);
  const std::size_t payload_bytes = message_.size() - payload_at_;
  for (std::size_t i = 0; i < count; ++i) {
    write_stamp({message_.data() + payload_at_, payload_bytes}, due_.intended_ns[i], due_.sent++);
    if (qos_ > 0) {
      message_[packet_id_at_] = static_cast<std::byte>(next_id_ >> 8);
      message_[packet_id_at_ + 1] = static_cast<std::byte>(next_id_);
      next_id_ = static_cast<std::uint16_t>(next_id_ == 65'535 ? 1 : next_id_ + 1);
      ++in_flight_;
    }
    out_.control().insert(out_.control().end(), message.begin(), message.end());
  }
  const auto begin = due_.intended_ns.begin();
  due_.intended_ns.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
  return out_.view(0);
}

MqttSubscriber::MqttSubscriber(const Work& work, unsigned topic, LatencySink* sink, unsigned qos)
    : topic_(topic_name(topic)), payload_bytes_(work.payload_bytes), qos_(qos), sink_(sink) {
  send_connect();
}

std::size_t MqttSubscriber::on_bytes(ByteView bytes, std::uint64_t now_ns) {
  return for_each_packet(bytes, error_,
                         [&](const MqttPacket& packet) { on_packet(packet, now_ns); });
}

void MqttSubscriber::on_packet(const MqttPacket& packet, std::uint64_t now_ns) {
  if (packet.type == kConnack && packet.body.size() >= 2) {
    if (packet.body[1] != std::byte{0}) fail(reason_text("CONNACK", u16_at(packet.body, 0) & 0xff));
    std::vector<std::byte> body;
    add_u16(body, 1);              // packet identifier
    body.push_back(std::byte{0});  // no properties
    add_text(body, topic_);
    body.push_back(static_cast<std::byte>(qos_));
    const auto subscribe = packet_of(kSubscribe, 2, body);
    out_.control().insert(out_.control().end(), subscribe.begin(), subscribe.end());
  } else if (packet.type == kSuback) {
    ready_ = true;
  } else if (packet.type == kPublish) {
    on_publish(packet, now_ns);
  } else {
    on_other(packet);
  }
}

void MqttSubscriber::on_publish(const MqttPacket& packet, std::uint64_t now_ns) {
  const bool acknowledged = (packet.flags & 0x06) != 0;
  const std::size_t id_at = 2 + topic_.size();
  if (packet.body.size() < id_at + (acknowledged ? 2 : 0) + payload_bytes_) {
    fail("a message of another size");
    return;
  }
  // What comes before the payload may have properties; the payload ends the packet.
  read_stamp(packet.body.last(payload_bytes_), now_ns, *sink_, delivered_);
  ++delivered_.messages;
  if (!acknowledged) return;
  std::vector<std::byte> body;
  add_u16(body, u16_at(packet.body, id_at));
  const auto puback = packet_of(kPuback, 0, body);
  out_.control().insert(out_.control().end(), puback.begin(), puback.end());
}

}  // namespace sluice::bench
