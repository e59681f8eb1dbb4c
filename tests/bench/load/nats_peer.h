// nats_peer.h: speaks the text protocol of NATS core, as far as a benchmark needs it.
//
// Every message of a run has the same subject, subscription and size, so a message is known by its
// first byte and its length; anything else is a line.
//
// Thread:   owner thread only.
// Source:   https://docs.nats.io/reference/reference-protocols/nats-protocol
// Tests:    tests/unit/tests/bench/load/nats_peer_test.cc

#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tests/bench/load/outgoing.h"
#include "tests/bench/load/session.h"
#include "tests/bench/load/work.h"

namespace sluice::bench {

/// Answers the lines of a NATS server that are not messages.
class NatsLines {
 public:
  /// Takes the line at the front of `bytes`; 0 when it is not all there.
  std::size_t take(base::ByteView bytes, Outgoing& out);
  bool ready() const { return ready_; }  // the first PING was answered
  const std::string& error() const { return error_; }

 private:
  bool ready_ = false;
  std::string error_;
};

struct NatsPeer {
  class Publisher {
   public:
    Publisher(const Work& work, unsigned topic);
    std::size_t on_bytes(base::ByteView bytes, std::uint64_t now_ns);
    base::ByteView next() { return out_.view(flooding_ ? SIZE_MAX >> 32 : 0); }
    void advance(std::size_t bytes) { published_.messages += out_.advance(bytes).completed; }
    void start() { flooding_ = true; }
    void stop() { flooding_ = false; }
    void post(std::uint64_t intended_ns, unsigned lane = 0);
    bool ready() const { return lines_.ready(); }
    bool settled() const { return out_.idle(); }
    std::uint64_t sent(unsigned /*lane*/) const { return published_.messages; }
    std::uint64_t unsent(unsigned /*lane*/) const { return 0; }  // the socket's buffer has no end
    const std::string& error() const { return lines_.error(); }
    const Published& published() const { return published_; }
    /// NATS core answers no publish.
    std::map<std::string, std::uint64_t> answers() const { return {}; }

   private:
    Outgoing out_;
    NatsLines lines_;
    std::vector<std::byte> message_;
    std::size_t payload_at_ = 0;  // in message_
    std::size_t payload_bytes_ = 0;
    Published published_;
    bool flooding_ = false;
  };

  class Subscriber {
   public:
    Subscriber(const Work& work, unsigned topic, LatencySink* sink);
    std::size_t on_bytes(base::ByteView bytes, std::uint64_t now_ns);
    base::ByteView next() { return out_.view(0); }
    void advance(std::size_t bytes) { out_.advance(bytes); }
    bool ready() const { return lines_.ready(); }
    const std::string& error() const { return lines_.error(); }
    const Delivered& delivered() const { return delivered_; }

   private:
    Outgoing out_;
    NatsLines lines_;
    std::string head_;  // "MSG bench.0 1 128\r\n"
    std::size_t message_bytes_;
    std::size_t stamp_bytes_;  // of each payload
    LatencySink* sink_;
    std::size_t skip_ = 0;
    Delivered delivered_;
  };
};

}  // namespace sluice::bench
