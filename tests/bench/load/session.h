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
#include <vector>

#include "libs/base/bytes.h"
#include "tests/bench/load/histogram.h"

namespace sluice::bench {

/// Where subscribers record latencies: of messages that were meant to be sent since `from_ns`, and
/// before `until_ns`.
struct LatencySink {
  Histogram histogram;
  std::uint64_t from_ns = 0;
  std::uint64_t until_ns = UINT64_MAX;

  void record(std::uint64_t intended_ns, std::uint64_t now_ns) noexcept {
    if (intended_ns < from_ns || intended_ns >= until_ns || now_ns < intended_ns) return;
    histogram.record(now_ns - intended_ns);
  }
};

/// What a subscriber received.
struct Delivered {
  std::uint64_t messages = 0;
  std::uint64_t gap_frames = 0;
  std::uint64_t lost = 0;       // told in gap frames
  std::uint64_t misplaced = 0;  // sequences or numbers that did not follow
  std::uint64_t numbered = 0;   // messages whose number was looked at
  std::uint64_t untold = 0;     // numbers missing so far that no gap before them has told

  /// A message arrived that its publisher gave this number, counted from 0. What came before it and
  /// what gaps told must add up to it; where they do not, messages are missing and nobody said so.
  void on_number(std::uint64_t number) noexcept {
    const std::uint64_t known = numbered + lost + untold;
    if (number < known) {
      ++misplaced;  // it came twice, or out of order, or a gap told too much
    } else {
      untold += number - known;
    }
    ++numbered;
  }
};

/// What a payload of an open loop begins with, as far as it has room: when it was meant to be sent,
/// and its number among the messages of its topic.
inline constexpr std::size_t kStampBytes = 16;

inline void write_stamp(base::MutableByteView payload, std::uint64_t intended_ns,
                        std::uint64_t number) noexcept {
  base::store(payload.data(), intended_ns);
  if (payload.size() >= kStampBytes) base::store(payload.data() + sizeof intended_ns, number);
}

/// `payload` holds kStampBytes, or all there is.
inline void read_stamp(base::ByteView payload, std::uint64_t now_ns, LatencySink& sink,
                       Delivered& delivered) noexcept {
  sink.record(base::load<std::uint64_t>(payload.data()), now_ns);
  if (payload.size() < kStampBytes) return;
  delivered.on_number(base::load<std::uint64_t>(payload.data() + sizeof(std::uint64_t)));
}

/// What a publisher sent, and what became of it as far as its broker tells.
struct Published {
  std::uint64_t messages = 0;
  std::uint64_t frames = 0;
  std::uint64_t receipts = 0;  // publishes that a receipt covered
  std::uint64_t refused = 0;   // of them not accepted in full
  std::uint64_t dropped = 0;   // copies of which a receipt said so
  unsigned pressure = 0;       // the highest that a receipt told, 0 to 255
};

/// Messages of an open loop that are due on one topic, and how many were sent.
struct Due {
  std::vector<std::uint64_t> intended_ns;
  std::uint64_t sent = 0;  // the number of the next one
};

}  // namespace sluice::bench
