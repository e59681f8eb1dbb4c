// sluice_peer.h: speaks the native protocol, as a client library under load would.
//
// Publishers keep every promise switched on: a receipt for every publish, a checksum in every
// batch, never more than the broker has granted. Flood frames are encoded once; only the publish
// number changes, which stands outside the checksum. Subscribers grant credit in large windows,
// check that sequences follow on each other, and count what gaps tell them.
//
// Thread:   owner thread only.
// Source:   docs/formats/wire.md
// Tests:    tests/unit/tests/bench/load/sluice_peer_test.cc

#pragma once

#include <map>
#include <string>
#include <vector>

#include "libs/wire/batch.h"
#include "libs/wire/frames.h"
#include "tests/bench/load/outgoing.h"
#include "tests/bench/load/session.h"
#include "tests/bench/load/work.h"

namespace sluice::bench {

struct SluicePeer {
  static constexpr std::uint64_t kCreditMessages = 1U << 20;
  static constexpr std::uint64_t kCreditBytes = 16U << 20;

  class Publisher {
   public:
    Publisher(const Work& work, unsigned topic);
    std::size_t on_bytes(base::ByteView bytes, std::uint64_t now_ns);
    base::ByteView next();
    void advance(std::size_t bytes);
    void start() { flooding_ = true; }
    void stop() { flooding_ = false; }
    /// A message is due on the `lane`-th of its topics.
    void post(std::uint64_t intended_ns, unsigned lane = 0) {
      lanes_[lane].due.intended_ns.push_back(intended_ns);
    }
    bool ready() const;
    /// Everything begun is written, and a receipt has come for it.
    bool settled() const {
      return out_.idle() && nothing_due() && published_.receipts + 1 == next_number_;
    }
    std::uint64_t sent(unsigned lane) const { return lanes_[lane].due.sent; }
    /// Due, and held back since the broker has granted no more.
    std::uint64_t unsent(unsigned lane) const { return lanes_[lane].due.intended_ns.size(); }
    const std::string& error() const { return error_; }
    const Published& published() const { return published_; }
    /// Publishes by what their receipts said, and more of what these told.
    std::map<std::string, std::uint64_t> answers() const;

   private:
    /// A topic that is published to, with its own window.
    struct Lane {
      std::string topic;
      std::uint32_t id = 0;
      std::uint64_t grant = 0;  // bytes of batches that may still be sent
      Due due;                  // open loop
    };

    bool nothing_due() const;
    void on_frame(const wire::FrameHeader& header, base::ByteView body);
    void on_topic(const wire::FrameHeader& header, base::ByteView body);
    void on_receipt(const wire::FrameHeader& header, base::ByteView body);
    void build_flood();
    void build_posted(Lane& lane);

    Work work_;
    std::vector<Lane> lanes_;  // floods use the first
    Outgoing out_;
    std::uint64_t next_number_ = 1;  // of the next publish
    std::uint32_t unit_messages_ = 0;
    std::uint32_t unit_batch_bytes_ = 0;
    std::vector<std::byte> payload_;
    wire::BatchBuilder builder_;
    Published published_;
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
    /// How much of `bytes`, which begin with this frame, it is done with; 0 for "more, please".
    std::size_t on_deliver(const wire::FrameHeader& header, base::ByteView bytes,
                           std::uint64_t now_ns);
    void on_frame(const wire::FrameHeader& header, base::ByteView body);
    void on_gap(const wire::FrameHeader& header, base::ByteView body);
    void subscribe();
    void refill(std::uint64_t messages);
    void record_latencies(base::ByteView batch, std::uint32_t first, std::uint32_t count,
                          std::uint64_t now_ns);

    Work work_;
    std::string topic_;
    Outgoing out_;
    LatencySink* sink_;
    std::uint32_t record_bytes_;
    std::uint64_t unreturned_ = 0;  // messages delivered since credit was last given
    std::uint64_t next_sequence_ = 0;
    std::size_t skip_ = 0;
    Delivered delivered_;
    bool ready_ = false;
    std::string error_;
  };
};

}  // namespace sluice::bench
