#include "tests/bench/overload/mqtt_peer.h"

#include <gtest/gtest.h>
#include <initializer_list>

namespace sluice::bench {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes(std::initializer_list<int> values) {
  Bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Work work_of(std::uint32_t payload_bytes) {
  Work work;
  work.payload_bytes = payload_bytes;
  work.rate = 1;
  return work;
}

template <typename Session>
Bytes drain(Session& session) {
  Bytes out;
  for (auto view = session.next(); !view.empty(); view = session.next()) {
    out.insert(out.end(), view.begin(), view.end());
    session.advance(view.size());
  }
  return out;
}

template <typename Session>
void feed(Session& session, const Bytes& in, std::size_t piece, std::uint64_t now_ns = 0) {
  Bytes carry;
  for (std::size_t at = 0; at < in.size(); ++at) {
    carry.push_back(in[at]);
    if (carry.size() % piece != 0 && at + 1 < in.size()) continue;
    const std::size_t taken = session.on_bytes(carry, now_ns);
    carry.erase(carry.begin(), carry.begin() + static_cast<std::ptrdiff_t>(taken));
  }
}

const Bytes kConnectBytes =
    bytes({0x10, 16, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 0, 3, 0x21, 0xff, 0xff, 0, 0});
// Topic Alias Maximum 10, Receive Maximum 2, as Mosquitto sends them.
const Bytes kConnackBytes = bytes({0x20, 9, 0, 0, 6, 0x22, 0, 10, 0x21, 0, 2});

/// PUBLISH to bench.0 with 16 bytes of payload; QoS 1 when `id` is not 0.
Bytes publish(int id, std::uint64_t intended_ns, std::uint64_t number) {
  Bytes payload(16);
  write_stamp(payload, intended_ns, number);
  const Bytes topic = bytes({0, 7, 'b', 'e', 'n', 'c', 'h', '.', '0'});
  const Bytes head = id == 0 ? bytes({0x30, 26}) : bytes({0x32, 28});
  return head + topic + (id == 0 ? Bytes{} : bytes({0, id})) + bytes({0}) + payload;
}

TEST(MqttPacket, IsTakenWholeOrNotAtAll) {
  const Bytes packet = bytes({0x42, 3, 1, 2, 0x10});
  for (std::size_t n = 0; n < packet.size(); ++n) {
    EXPECT_FALSE(mqtt_packet(base::ByteView(packet).first(n))) << n;
  }
  const auto taken = mqtt_packet(packet);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->type, 4);
  EXPECT_EQ(taken->flags, 2);
  EXPECT_EQ(taken->body.size(), 3U);
  EXPECT_EQ(taken->bytes, 5U);
}

TEST(MqttPacket, ALengthThatCannotBeIsOfNoType) {
  EXPECT_EQ(mqtt_packet(bytes({0x30, 0x80, 0x80, 0x80, 0x80, 1}))->type, 0);
  EXPECT_EQ(mqtt_packet(bytes({0x30, 0xff, 0xff, 0xff, 0x7f}))->type, 0);
}

TEST(MqttPublisher, KeepsToTheReceiveMaximumAtQos1AndCountsReasons) {
  MqttPeer<1>::Publisher session(work_of(16), 0);
  EXPECT_EQ(drain(session), kConnectBytes);
  feed(session, kConnackBytes, 1);
  ASSERT_TRUE(session.ready());
  for (std::uint64_t i = 0; i < 3; ++i) session.post(10 + i, 0);
  EXPECT_EQ(drain(session), publish(1, 10, 0) + publish(2, 11, 1));
  EXPECT_EQ(session.unsent(0), 1U);
  feed(session, bytes({0x40, 2, 0, 1}) + bytes({0x40, 3, 0, 2, 0x97}), 1);
  EXPECT_EQ(drain(session), publish(3, 12, 2));
  EXPECT_FALSE(session.settled());
  feed(session, bytes({0x40, 2, 0, 3}), 1);
  EXPECT_TRUE(session.settled());
  const std::map<std::string, std::uint64_t> expected = {{"PUBACK 0x00", 2}, {"PUBACK 0x97", 1}};
  EXPECT_EQ(session.answers(), expected);
}

TEST(MqttPublisher, SendsWhatIsDueAtQos0) {
  MqttPeer<0>::Publisher session(work_of(16), 0);
  EXPECT_EQ(drain(session), kConnectBytes);
  feed(session, kConnackBytes, 100);
  for (std::uint64_t i = 0; i < 3; ++i) session.post(10 + i, 0);
  EXPECT_EQ(drain(session), publish(0, 10, 0) + publish(0, 11, 1) + publish(0, 12, 2));
  EXPECT_TRUE(session.settled());
}

TEST(MqttSubscriber, AcknowledgesAndAccountsWhereverTheBytesAreCut) {
  const Bytes in =
      kConnackBytes + bytes({0x90, 4, 0, 1, 0, 1}) + publish(7, 1, 0) + publish(8, 2, 3);
  for (std::size_t piece = 1; piece <= in.size(); ++piece) {
    LatencySink sink;
    MqttPeer<1>::Subscriber session(work_of(16), 0, &sink);
    EXPECT_EQ(drain(session), kConnectBytes);
    feed(session, in, piece, 100);
    EXPECT_EQ(session.error(), "") << piece;
    EXPECT_TRUE(session.ready());
    EXPECT_EQ(session.delivered().messages, 2U) << piece;
    EXPECT_EQ(session.delivered().untold, 2U) << piece;
    const Bytes subscribe = bytes({0x82, 13, 0, 1, 0, 0, 7, 'b', 'e', 'n', 'c', 'h', '.', '0', 1});
    EXPECT_EQ(drain(session), subscribe + bytes({0x40, 2, 0, 7}) + bytes({0x40, 2, 0, 8}));
  }
}

TEST(MqttSubscriber, ShowsTheReasonWithWhichItIsDisconnected) {
  LatencySink sink;
  MqttPeer<0>::Subscriber session(work_of(16), 0, &sink);
  feed(session, bytes({0xe0, 2, 0x97, 0}), 1);
  EXPECT_EQ(session.error(), "mqtt: DISCONNECT 0x97");
}

}  // namespace
}  // namespace sluice::bench
