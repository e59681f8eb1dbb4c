// codec.h: from a frame's struct to its bytes and back.
//
//   std::vector<std::byte> out;
//   encode(out, Ping{.opaque = 7}, /*correlation=*/1);
//   auto ping = decode<Ping>(header, body);
//
// Thread:   any; no state.
// Errors:   decode: kBadFrame, kReservedBits (HELLO also kBadMagic), saying which field and at
//           which byte of the body.
// Order:    read_header (frame.h) first; decode<T> requires header.kind to be T's.
// Source:   docs/formats/wire.md
// Tests:    tests/unit/libs/wire/codec_test.cc, tests/conformance, tests/fuzz/fuzz_frame.cc

#pragma once

#include <vector>

#include "libs/wire/frames.h"

namespace sluice::wire {

/// Appends the whole frame. Requires: strings within 65 535 bytes, lists within their bounds.
/// The overloads for PUBLISH and DELIVER append the frame up to and without the batch's bytes;
/// the header counts them, and whoever writes sends them next (a gathered write).
#define SLUICE_WIRE_ENCODE(T)                                                         \
  void encode(std::vector<std::byte>& out, const T& frame, std::uint64_t correlation, \
              std::uint8_t flags = 0)
SLUICE_WIRE_ENCODE(Hello);
SLUICE_WIRE_ENCODE(Welcome);
SLUICE_WIRE_ENCODE(Auth);
SLUICE_WIRE_ENCODE(OpenTopic);
SLUICE_WIRE_ENCODE(Topic);
SLUICE_WIRE_ENCODE(Publish);
SLUICE_WIRE_ENCODE(Receipt);
SLUICE_WIRE_ENCODE(Subscribe);
SLUICE_WIRE_ENCODE(Subscribed);
SLUICE_WIRE_ENCODE(Unsubscribe);
SLUICE_WIRE_ENCODE(Unsubscribed);
SLUICE_WIRE_ENCODE(Credit);
SLUICE_WIRE_ENCODE(Gap);
SLUICE_WIRE_ENCODE(Ack);
SLUICE_WIRE_ENCODE(Nack);
SLUICE_WIRE_ENCODE(Extend);
SLUICE_WIRE_ENCODE(Fetch);
SLUICE_WIRE_ENCODE(Cancel);
SLUICE_WIRE_ENCODE(Grant);
SLUICE_WIRE_ENCODE(State);
SLUICE_WIRE_ENCODE(Request);
SLUICE_WIRE_ENCODE(Reply);
SLUICE_WIRE_ENCODE(Ping);
SLUICE_WIRE_ENCODE(Pong);
SLUICE_WIRE_ENCODE(Goaway);
SLUICE_WIRE_ENCODE(ErrorFrame);
SLUICE_WIRE_ENCODE(Deliver);
#undef SLUICE_WIRE_ENCODE

/// Writes the 32 bytes that stand before a delivered batch. The hot path's own, inline.
inline void write_deliver_header(std::byte* at, const Deliver& deliver, std::uint64_t sequence,
                                 std::uint32_t batch_bytes) noexcept {
  write_header(at, {.body_bytes = 16 + batch_bytes,
                    .kind = FrameKind::kDeliver,
                    .flags = 0,
                    .correlation = sequence});
  base::store(at + 16, deliver.subscription);
  base::store(at + 20, deliver.topic);
  base::store(at + 24, deliver.first);
  base::store(at + 28, deliver.count);
}

/// Reads a body. Defined for every struct of frames.h; requires header.kind to be T's and
/// body.size() == header.body_bytes. Views in the result point into `body`.
template <typename T>
base::Result<T> decode(const FrameHeader& header, ByteView body);

}  // namespace sluice::wire
