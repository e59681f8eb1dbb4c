// frame.h: where does a frame start and end, and what kind is it?
//
// Every frame is a 16-byte header and a body:
//
//    0  u32  body bytes, without this header
//    4  u8   kind
//    5  u8   flags: bit 7 says that the body begins with an extension area; the rest by kind
//    6  u16  reserved, 0
//    8  u64  correlation: what answers what; for PUBLISH the publish number, for DELIVER and GAP
//            the first sequence
//
// An extension area is u16 bytes of it, then tagged values {u16 tag, u16 bytes, value}; a reader
// skips the tags it does not know.
//
// Thread:   values; any thread.
// Units:    bytes. All integers little-endian.
// Limits:   a body over the negotiated maximum is refused before anything is allocated for it.
// Errors:   kFrameTooLarge, kReservedBits, kUnknownKind, kBadFrame.
// Source:   docs/formats/wire.md, sections Frame and Extension area.
// Tests:    tests/unit/libs/wire/frame_test.cc, tests/conformance, tests/fuzz/fuzz_frame.cc

#pragma once

#include <cstdint>
#include <optional>

#include "libs/base/bytes.h"
#include "libs/base/result.h"

namespace sluice::wire {

inline constexpr std::size_t kFrameHeaderBytes = 16;
inline constexpr std::uint32_t kProtocolMagic = 0x45434C53;  // "SLCE" as it stands on the wire
inline constexpr std::uint16_t kProtocolVersion = 1;
/// The largest body a peer may send before WELCOME has negotiated another bound.
inline constexpr std::uint32_t kMaxHandshakeBody = 4096;
inline constexpr std::uint32_t kMinMaxFrame = 64U << 10;
inline constexpr std::uint32_t kMaxMaxFrame = 64U << 20;

enum class FrameKind : std::uint8_t {
  kHello = 1,
  kWelcome = 2,
  kAuth = 3,
  kOpenTopic = 4,
  kTopic = 5,
  kPublish = 6,
  kReceipt = 7,
  kSubscribe = 8,
  kSubscribed = 9,
  kUnsubscribe = 10,
  kUnsubscribed = 11,
  kCredit = 12,
  kDeliver = 13,
  kGap = 14,
  kAck = 15,
  kNack = 16,
  kExtend = 17,
  kFetch = 18,
  kCancel = 19,
  kGrant = 20,
  kState = 21,
  kRequest = 22,
  kReply = 23,
  kPing = 24,
  kPong = 25,
  kGoaway = 26,
  kError = 27,
};

/// Bit 7 of every frame's flags.
inline constexpr std::uint8_t kFlagExtension = 0x80;

struct FrameHeader {
  std::uint32_t body_bytes = 0;
  FrameKind kind = FrameKind::kPing;
  std::uint8_t flags = 0;
  std::uint64_t correlation = 0;
};

/// "PUBLISH" for kPublish; "kind 200" style text is never needed, as unknown kinds are refused.
std::string_view frame_name(FrameKind kind) noexcept;

/// Reads the header at the front of `bytes`; nothing when fewer than 16 bytes are there.
/// Checks kind, flags of that kind, reserved bits and the body's bound.
base::Result<std::optional<FrameHeader>> read_header(base::ByteView bytes, std::uint32_t max_body);

/// Writes 16 bytes at `at`.
void write_header(std::byte* at, const FrameHeader& header) noexcept;

}  // namespace sluice::wire
