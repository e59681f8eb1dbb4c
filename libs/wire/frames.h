// frames.h: what does each frame say?
//
// One struct per kind, with the fields in the order of the wire. Text and byte fields of a decoded
// struct are views into the bytes it was decoded from and live as long as they do.
//
// Thread:   values; any thread.
// Units:    in the field names; times on the wire are nanoseconds since 1970 UTC, 0 for none.
// Limits:   strings have 16-bit lengths; lists have the bounds named beside them.
// Errors:   decode: kBadFrame (what is wrong and at which byte), kReservedBits.
// Source:   docs/formats/wire.md, one section per kind.
// Tests:    tests/unit/libs/wire/codec_test.cc, tests/conformance, tests/fuzz/fuzz_frame.cc

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "libs/wire/frame.h"
#include "libs/wire/frames_publish.h"
#include "libs/wire/frames_subscribe.h"

namespace sluice::wire {

/// HELLO and WELCOME feature bits.
inline constexpr std::uint32_t kFeatureLz4 = 1U << 0;
inline constexpr std::uint32_t kFeatureZstd = 1U << 1;
inline constexpr std::uint32_t kFeatureAuthRequired = 1U << 31;  // WELCOME only

struct Hello {  // client to broker, first frame
  std::uint32_t magic = kProtocolMagic;
  std::uint16_t version_min = kProtocolVersion;
  std::uint16_t version_max = kProtocolVersion;
  std::uint32_t features = 0;
  std::uint32_t max_frame = 1U << 20;  // largest body the client takes
  std::uint64_t producer_id = 0;       // identity of an idempotent producer, 0 for none
  std::string_view client_name{};
  std::string_view client_version{};
  // Extension area:
  std::uint64_t producer_epoch = 0;  // that WELCOME gave this client before; 0: it is a new one
};

struct Welcome {  // broker to client, answers HELLO
  std::uint16_t version = kProtocolVersion;
  std::uint16_t reserved = 0;
  std::uint32_t features = 0;   // those of HELLO that the broker has as well
  std::uint32_t max_frame = 0;  // largest body the broker takes
  std::uint32_t keepalive_ms = 0;
  std::uint64_t session_id = 0;
  std::uint64_t wall_time_ns = 0;
  std::uint64_t named_grant = 0;  // bytes: first window of publishes that name their topic
  std::string_view node_name{};
  std::string_view broker_version{};
  // Extension area, for an idempotent producer:
  std::uint64_t producer_epoch = 0;  // 0: it is none
  std::uint64_t producer_next = 0;   // the lowest sequence above all that was taken of it
};

struct Auth {  // both ways; from the broker flag bit 0 says: authenticated
  std::string_view mechanism{};
  ByteView data{};  // u32 length
};
inline constexpr std::uint8_t kAuthDone = 0x01;

struct OpenTopic {  // client to broker
  std::string_view name{};
};

struct Topic {  // broker to client: answers OPEN_TOPIC, or (correlation 0) names a delivered topic
  std::uint32_t topic = 0;
  std::uint32_t reserved = 0;
  std::uint64_t grant = 0;  // bytes: first window of this topic; 0 when it only names
  std::string_view name{};
};

struct SequenceRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

struct Ack {  // client to broker; flag bit 0: cumulative, everything up to the last
  std::uint32_t subscription = 0;
  // u32: number of ranges, 1 to 256
  std::vector<SequenceRange> ranges{};
};
inline constexpr std::uint8_t kAckCumulative = 0x01;

struct Nack {  // client to broker
  std::uint32_t subscription = 0;
  std::uint32_t delay_ms = 0;
  SequenceRange range{};
};

struct Extend {  // client to broker
  std::uint32_t subscription = 0;
  std::uint32_t extend_ms = 0;
  SequenceRange range{};
};

struct Fetch {  // client to broker
  StartFrom from = StartFrom::kEarliest;
  // u8 + u16 reserved
  std::uint32_t max_messages = 0;
  std::uint64_t from_value = 0;
  std::uint64_t max_bytes = 0;
  std::uint64_t deadline_ns = 0;
  std::string_view stream{};
};

struct Grant {              // broker to client: adds to what may be published
  std::uint32_t topic = 0;  // 0: publishes that name their topic
  std::uint32_t reserved = 0;
  std::uint64_t bytes = 0;  // of batches
};

enum class StateKind : std::uint8_t { kPressure = 1, kBreaker = 2, kDrain = 3, kLimit = 4 };

struct State {  // broker to client
  StateKind what = StateKind::kPressure;
  std::uint8_t level = 0;  // 0 none .. 255 full
  std::uint16_t reason = 0;
  std::uint32_t topic = 0;  // 0: all
  std::uint32_t retry_after_ms = 0;
  std::string_view text{};
};

struct Request {  // client to broker: administration
  std::string_view verb{};
  std::string_view body{};  // JSON, u32 length
};

struct Reply {  // broker to client
  std::uint16_t error = 0;
  std::uint16_t reserved = 0;
  std::string_view body{};  // JSON, u32 length
};

struct Ping {  // both ways
  std::uint64_t opaque = 0;
};

struct Pong {  // both ways
  std::uint64_t opaque = 0;
  std::uint64_t wall_time_ns = 0;
};

struct Goaway {  // broker to client
  std::uint16_t reason = 0;
  std::uint16_t reserved = 0;
  std::uint32_t deadline_ms = 0;
  std::string_view text{};
};

struct ErrorFrame {  // broker to client; correlation of the frame it answers, or 0
  std::uint16_t code = 0;
  bool closes = false;  // u8: the connection ends after this frame
  std::uint8_t reserved = 0;
  std::uint32_t subject = 0;  // topic or subscription id it is about, or 0
  std::string_view text{};
};

}  // namespace sluice::wire
