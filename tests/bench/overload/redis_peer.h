// redis_peer.h: speaks RESP 2 to a Redis server, as far as publishing and subscribing needs it.
//
// Every message of a run has the same channel and size, so all that comes before a payload is the
// same text each time. PUBLISH is answered with the number of clients that Redis sent it to: all
// that a publisher is ever told, so these answers are counted by what they say.
//
// Thread:   owner thread only.
// Source:   the Redis serialization protocol specification, version 2
// Tests:    tests/unit/tests/bench/overload/redis_peer_test.cc

#pragma once

#include <map>
#include <string>

#include "tests/bench/load/outgoing.h"
#include "tests/bench/load/session.h"
#include "tests/bench/load/work.h"

namespace sluice::bench {

struct RedisPeer {
  class Publisher {
   public:
    Publisher(const Work& work, unsigned topic);
    std::size_t on_bytes(base::ByteView bytes, std::uint64_t now_ns);
    base::ByteView next() { return out_.view(0); }
    void advance(std::size_t bytes) { out_.advance(bytes); }
    void post(std::uint64_t intended_ns, unsigned lane);
    bool ready() const { return ready_; }
    bool settled() const { return out_.idle() && answered_ == published_.messages; }
    const std::string& error() const { return error_; }
    std::uint64_t sent(unsigned /*lane*/) const { return published_.messages; }
    std::uint64_t unsent(unsigned /*lane*/) const { return 0; }
    /// By what was answered to PUBLISH.
    const std::map<std::string, std::uint64_t>& answers() const { return answers_; }

   private:
    Outgoing out_;
    std::vector<std::byte> message_;
    std::size_t payload_at_ = 0;  // in message_
    std::size_t payload_bytes_ = 0;
    Published published_;
    std::uint64_t answered_ = 0;
    std::map<std::string, std::uint64_t> answers_;
    bool ready_ = false;
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
    std::string greeting_;  // the answer to SUBSCRIBE
    std::string head_;      // what stands before each payload
    std::size_t message_bytes_;
    LatencySink* sink_;
    Delivered delivered_;
    bool ready_ = false;
    std::string error_;
  };
};

}  // namespace sluice::bench
