// session.h: what the driver and the peers' sessions tell each other.
//
// A peer is a struct with the types Publisher and Subscriber; the driver moves bytes between them
// and their sockets. Both have
//
//   std::size_t on_bytes(ByteView bytes, std::uint64_t now_ns);  // how many it is done with
//   ByteView next();              // what to write now; empty when it must wait
//   void advance(std::size_t);    // so much of it was written
//   bool ready() const;           // the handshake is done
//   const std::string& error() const;   // not empty: the run is over
//
// Thread:   owner thread only.

#pragma once

#include <cstdint>
#include <string>

#include "libs/base/bytes.h"
#include "tests/bench/load/histogram.h"

namespace sluice::bench {

/// Where subscribers record latencies: of messages that were meant to be sent since `from_ns`.
struct LatencySink {
  Histogram histogram;
  std::uint64_t from_ns = 0;

  void record(std::uint64_t intended_ns, std::uint64_t now_ns) noexcept {
    if (intended_ns >= from_ns && now_ns >= intended_ns) histogram.record(now_ns - intended_ns);
  }
};

/// What a subscriber received.
struct Delivered {
  std::uint64_t messages = 0;
  std::uint64_t gap_frames = 0;
  std::uint64_t lost = 0;       // told in gap frames
  std::uint64_t misplaced = 0;  // sequences that did not follow
};

/// What a publisher sent, and what became of it as far as its broker tells.
struct Published {
  std::uint64_t messages = 0;
  std::uint64_t frames = 0;
  std::uint64_t receipts = 0;  // publishes that a receipt covered
  std::uint64_t refused = 0;   // of them not accepted in full
};

}  // namespace sluice::bench
