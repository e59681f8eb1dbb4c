// relay_peer.h: speaks to sluice_relay, which shows what the machine's sockets allow.
//
// A connection begins with 4 bytes, 'P' or 'S', 0 and a u16 topic index, answered with one byte.
// Then a message is a u32 of its payload bytes and the payload.
//
// Thread:   owner thread only.
// Source:   tests/bench/load/relay.cc
// Tests:    tests/unit/tests/bench/load/relay_peer_test.cc

#pragma once

#include <string>

#include "tests/bench/load/outgoing.h"
#include "tests/bench/load/session.h"
#include "tests/bench/load/work.h"

namespace sluice::bench {

struct RelayPeer {
  static constexpr std::size_t kGreetingBytes = 4;
  static constexpr std::size_t kPrefixBytes = 4;

  class Publisher {
   public:
    Publisher(const Work& work, unsigned topic);
    std::size_t on_bytes(base::ByteView bytes, std::uint64_t now_ns);
    base::ByteView next() { return out_.view(flooding_ ? SIZE_MAX >> 32 : 0); }
    void advance(std::size_t bytes) { published_.messages += out_.advance(bytes).completed; }
    void start() { flooding_ = true; }
    void stop() { flooding_ = false; }
    void post(std::uint64_t intended_ns);
    bool ready() const { return ready_; }
    bool settled() const { return out_.idle(); }
    const std::string& error() const { return error_; }
    const Published& published() const { return published_; }

   private:
    Outgoing out_;
    std::vector<std::byte> message_;
    Published published_;
    bool ready_ = false;
    bool flooding_ = false;
    std::string error_;
  };

  class Subscriber {
   public:
    Subscriber(const Work& work, unsigned topic, LatencySink* sink);
    std::size_t on_bytes(base::ByteView bytes, std::uint64_t now_ns);
    base::ByteView next() { return out_.view(0); }
    void advance(std::size_t bytes) { out_.advance(bytes); }
    bool ready() const { return ready_; }
    const std::string& error() const { return error_; }
    const Delivered& delivered() const { return delivered_; }

   private:
    Outgoing out_;
    std::uint32_t payload_bytes_;
    LatencySink* sink_;  // null: do not look into payloads
    std::size_t skip_ = 0;
    Delivered delivered_;
    bool ready_ = false;
    std::string error_;
  };
};

}  // namespace sluice::bench
