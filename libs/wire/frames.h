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

enum class StartFrom : std::uint8_t {
  kNew = 0,
  kEarliest = 1,
  kLatest = 2,
  kSequence = 3,
  kTime = 4
};
enum class AckMode : std::uint8_t { kNone = 0, kExplicit = 1, kCumulative = 2, kAuto = 3 };

struct Subscribe {                 // client to broker
  std::uint32_t subscription = 0;  // chosen by the client, not 0, unique on its connection
  std::uint32_t max_messages = 0;  // 0: the broker's default, here and in the next two
  std::uint64_t max_bytes = 0;
  std::uint64_t max_lag_ns = 0;
  std::uint64_t credit_messages = 0;  // first credit
  std::uint64_t credit_bytes = 0;
  StartFrom from = StartFrom::kNew;
  AckMode ack_mode = AckMode::kNone;
  // u16: number of filters, 1 to 256
  std::uint32_t reserved = 0;
  std::uint64_t from_value = 0;  // sequence or time, by `from`
  std::string_view name{};       // shown to operators and in receipts; may be empty
  std::string_view group{};      // shared subscription; empty for none
  std::string_view overflow{};   // ladder as "block:50ms,drop_oldest"; empty for the default
  std::vector<std::string_view> filters{};
};

struct Subscribed {  // broker to client: what is in force
  std::uint32_t subscription = 0;
  std::uint32_t max_messages = 0;
  std::uint64_t max_bytes = 0;
  std::uint64_t max_lag_ns = 0;
  std::uint64_t next_sequence = 0;  // of the first message it will be told of
  std::string_view overflow{};
};

struct Unsubscribe {  // client to broker
  std::uint32_t subscription = 0;
  std::uint32_t reserved = 0;
};

struct Unsubscribed {  // broker to client: the subscription's account, all in messages
  std::uint32_t subscription = 0;
  std::uint32_t reserved = 0;
  std::uint64_t matched = 0;
  std::uint64_t delivered = 0;
  std::uint64_t dropped = 0;    // by its ladder, told as gaps
  std::uint64_t discarded = 0;  // were still queued
};

struct Credit {  // client to broker: adds to what may be delivered
  std::uint32_t subscription = 0;
  std::uint32_t reserved = 0;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;  // of records; the last message may overdraw it
};

struct Deliver {  // broker to client; correlation is the sequence of the first message
  std::uint32_t subscription = 0;
  std::uint32_t topic = 0;
  std::uint32_t first = 0;  // index in the batch of the first message meant
  std::uint32_t count = 0;  // messages meant
  ByteView batch{};         // to the end of the frame
};
inline constexpr std::size_t kDeliverHeaderBytes = kFrameHeaderBytes + 16;

enum class GapReason : std::uint16_t {
  kDroppedOldest = 1,
  kDroppedNewest = 2,
  kConflated = 3,
  kExpired = 4,
  kDisconnected = 5,
  kLagged = 6,     // older than max_lag
  kTooLarge = 7,   // a message that can never fit the subscription's bounds
  kRejected = 8,   // refused behind a block, and its publisher was told
  kCancelled = 9,  // withdrawn by its publisher before it was delivered
  kSqueezed = 10,  // given up, as the broker's memory budget was nearly used
};
std::string_view gap_reason_name(GapReason reason) noexcept;  // "dropped_oldest"

struct Gap {  // broker to client; correlation is the first sequence missing
  std::uint32_t subscription = 0;
  GapReason reason = GapReason::kDroppedOldest;
  std::uint16_t reserved = 0;
  std::uint64_t last_sequence = 0;
  std::uint64_t count = 0;  // messages missing for this reason in first..last
  std::uint64_t bytes = 0;  // of their records
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

struct Cancel {              // client to broker: withdraw; broker to client: how much was withdrawn
  std::uint64_t target = 0;  // correlation of what is withdrawn
  FrameKind target_kind = FrameKind::kPublish;
  // u8 + u16 + u32 reserved
  std::uint64_t withdrawn = 0;  // copies
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
