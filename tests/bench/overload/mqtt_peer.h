// mqtt_peer.h: speaks MQTT 5, as far as publishing and subscribing at QoS 0 and 1 needs it.
//
// Version 5, since only there a broker can say anything: reason codes in PUBACK and DISCONNECT are
// counted and shown. At QoS 1 the publisher keeps to the Receive Maximum of the broker, and
// subscribers acknowledge every message they take.
//
// Thread:   owner thread only.
// Limits:   packets of at most 1 MiB.
// Source:   MQTT Version 5.0, OASIS Standard, 7 March 2019, chapters 2 and 3
// Tests:    tests/unit/tests/bench/overload/mqtt_peer_test.cc

#pragma once

#include <map>
#include <optional>
#include <string>

#include "tests/bench/load/outgoing.h"
#include "tests/bench/load/session.h"
#include "tests/bench/load/work.h"

namespace sluice::bench {

/// A whole packet at the front of some bytes.
struct MqttPacket {
  std::uint8_t type = 0;   // 1 CONNECT to 15 AUTH
  std::uint8_t flags = 0;  // the low half of the first byte
  base::ByteView body;
  std::size_t bytes = 0;  // all of it
};
/// None while it is not all there. A length that cannot be is an empty packet of type 0.
std::optional<MqttPacket> mqtt_packet(base::ByteView bytes);

/// Receive Maximum in the properties of a CONNACK's body; 65 535 when it has none.
std::uint16_t mqtt_receive_maximum(base::ByteView connack);

/// What a publisher and a subscriber of one quality of service have in common.
class MqttSession {
 public:
  base::ByteView next() { return out_.view(0); }
  void advance(std::size_t bytes) { out_.advance(bytes); }
  const std::string& error() const { return error_; }

 protected:
  void send_connect();
  /// Answers to what both kinds of session may get; sets error() for what neither expects.
  void on_other(const MqttPacket& packet);
  void fail(const std::string& what) { error_ = "mqtt: " + what; }

  Outgoing out_;
  std::string error_;
};

class MqttPublisher : public MqttSession {
 public:
  MqttPublisher(const Work& work, unsigned topic, unsigned qos);
  std::size_t on_bytes(base::ByteView bytes, std::uint64_t now_ns);
  base::ByteView next();
  void post(std::uint64_t intended_ns, unsigned lane);
  bool ready() const { return ready_; }
  bool settled() const { return out_.idle() && due_.intended_ns.empty() && in_flight_ == 0; }
  std::uint64_t sent(unsigned /*lane*/) const { return due_.sent; }
  std::uint64_t unsent(unsigned /*lane*/) const { return due_.intended_ns.size(); }
  /// By reason code of PUBACK.
  const std::map<std::string, std::uint64_t>& answers() const { return answers_; }

 private:
  void on_packet(const MqttPacket& packet);

  unsigned qos_;
  std::vector<std::byte> message_;
  std::size_t packet_id_at_ = 0;  // in message_
  std::size_t payload_at_ = 0;
  Due due_;
  std::uint64_t in_flight_ = 0;
  std::uint64_t receive_maximum_ = 65'535;
  std::uint16_t next_id_ = 1;
  std::map<std::string, std::uint64_t> answers_;
  bool ready_ = false;
};

class MqttSubscriber : public MqttSession {
 public:
  MqttSubscriber(const Work& work, unsigned topic, LatencySink* sink, unsigned qos);
  std::size_t on_bytes(base::ByteView bytes, std::uint64_t now_ns);
  bool ready() const { return ready_; }
  const Delivered& delivered() const { return delivered_; }

 private:
  void on_packet(const MqttPacket& packet, std::uint64_t now_ns);
  void on_publish(const MqttPacket& packet, std::uint64_t now_ns);

  std::string topic_;
  std::size_t payload_bytes_;
  unsigned qos_;
  LatencySink* sink_;
  Delivered delivered_;
  bool ready_ = false;
};

template <unsigned kQos>
struct MqttPeer {
  struct Publisher : MqttPublisher {
    Publisher(const Work& work, unsigned topic) : MqttPublisher(work, topic, kQos) {}
  };
  struct Subscriber : MqttSubscriber {
    Subscriber(const Work& work, unsigned topic, LatencySink* sink)
        : MqttSubscriber(work, topic, sink, kQos) {}
  };
};

}  // namespace sluice::bench
