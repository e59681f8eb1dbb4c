// frames_subscribe.h: what do the frames between a subscriber and the broker say?
//
// The part of frames.h from SUBSCRIBE to GAP; include frames.h.
//
// Thread:   values; any thread.
// Units:    in the field names; times on the wire are nanoseconds since 1970 UTC, 0 for none.
// Limits:   256 filters of a subscription.
// Source:   docs/formats/wire.md, sections SUBSCRIBE to GAP.
// Tests:    tests/unit/libs/wire/codec_test.cc, tests/conformance

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "libs/base/bytes.h"
#include "libs/wire/frame.h"

namespace sluice::wire {

using base::ByteView;

enum class StartFrom : std::uint8_t {
  kNew = 0,
  kEarliest = 1,
  kLatest = 2,
  kSequence = 3,
  kTime = 4
};
enum class AckMode : std::uint8_t { kNone = 0, kExplicit = 1, kCumulative = 2, kAuto = 3 };

/// Of a client that was connected before: what it had, to be told what it missed.
struct Resume {
  std::uint64_t session = 0;  // WELCOME's of the former connection; 0: nothing is resumed
  std::uint32_t subscription = 0;
  std::uint64_t last_sequence = 0;  // last delivered or told as missing; 0 for none
};

/// How the former subscription ended, where the broker still knows.
struct Resumed {
  bool known = false;
  std::uint64_t matched = 0;    // messages, and its last sequence
  std::uint64_t discarded = 0;  // of these, were still queued
};

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
  Resume resume{};  // extension tag 1
};

struct Subscribed {  // broker to client: what is in force
  std::uint32_t subscription = 0;
  std::uint32_t max_messages = 0;
  std::uint64_t max_bytes = 0;
  std::uint64_t max_lag_ns = 0;
  std::uint64_t next_sequence = 0;  // of the first message it will be told of
  std::string_view overflow{};
  Resumed resumed{};  // extension tag 1
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
  kSpillLost = 11  // spilled, and the spill store could not give it back
};
inline constexpr std::size_t kGapReasons = 11;
std::string_view gap_reason_name(GapReason reason) noexcept;  // "dropped_oldest"

struct Gap {  // broker to client; correlation is the first sequence missing
  std::uint32_t subscription = 0;
  GapReason reason = GapReason::kDroppedOldest;
  std::uint16_t reserved = 0;
  std::uint64_t last_sequence = 0;
  std::uint64_t count = 0;  // messages missing for this reason in first..last
  std::uint64_t bytes = 0;  // of their records
};

}  // namespace sluice::wire
