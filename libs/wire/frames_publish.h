// frames_publish.h: what do the frames of publishing say?
//
// The part of frames.h about PUBLISH, RECEIPT and CANCEL; include frames.h.
//
// Thread:   values; any thread.
// Units:    in the field names; times on the wire are nanoseconds since 1970 UTC, 0 for none.
// Limits:   16 names in a need, 16 subscriptions in a receipt, 1 024 bytes of its text.
// Source:   docs/formats/wire.md, sections PUBLISH, RECEIPT and CANCEL.
// Tests:    tests/unit/libs/wire/codec_test.cc, tests/conformance

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "libs/base/bytes.h"
#include "libs/wire/frame.h"

namespace sluice::wire {

using base::ByteView;

/// PUBLISH flags.
inline constexpr std::uint8_t kPublishNamed = 0x01;  // the topic's name stands in the frame
inline constexpr std::uint8_t kPublishReceiptProblems =
    0x02;                                                  // a receipt only if something was wrong
inline constexpr std::uint8_t kPublishReceiptNone = 0x04;  // no receipt at all
inline constexpr std::uint8_t kPublishNeedResponders = 0x08;  // refuse when nothing matches

enum class Durability : std::uint8_t { kNone = 0, kMemory = 1, kOs = 2, kDisk = 3, kQuorum = 4 };

/// What a publish insists on; carried in the extension area when it differs from this.
struct Need {
  Durability durability = Durability::kNone;
  bool accept_all = false;                // every matched subscription takes it, or none does
  std::vector<std::string_view> names{};  // at most 16 subscriptions that must take it
  bool any() const { return durability != Durability::kNone || accept_all || !names.empty(); }
};

struct Publish {            // client to broker; correlation is the publish number, rising from 1
  std::uint32_t topic = 0;  // 0 with kPublishNamed
  std::string_view name{};  // empty without kPublishNamed
  ByteView batch{};         // to the end of the frame
  // Extension area:
  std::uint64_t deadline_ns = 0;  // tag 1, u64
  Need need{};                    // tag 2: u8 durability; tag 3: u8 accept_all; tag 4: names
};

enum class ReceiptStatus : std::uint8_t {
  kAccepted = 0,   // every matched subscription took every message
  kPartial = 1,    // some copies were taken and some dropped
  kRejected = 2,   // no subscription took anything
  kExpired = 3,    // its deadline passed first
  kCancelled = 4,  // withdrawn by its publisher
  kDuplicate = 5,  // an idempotent producer sent it before
};

/// A subscription that did not take what was published.
struct ReceiptSubscription {
  std::uint64_t copies = 0;
  std::uint16_t reason = 0;  // an ErrorCode or, under 100, a GapReason
  std::string_view name{};
};

struct Receipt {  // broker to client; correlation is the last publish number it covers
  std::uint64_t first_publish = 0;  // the range first..correlation had this same outcome
  ReceiptStatus status = ReceiptStatus::kAccepted;
  Durability durability = Durability::kMemory;
  std::uint8_t pressure = 0;  // 0 none .. 255 full
  std::uint8_t reserved = 0;
  std::uint16_t reason = 0;  // ErrorCode, 0 when accepted
  // u16: number of subscriptions listed
  std::uint32_t retry_after_ms = 0;
  std::uint32_t unlisted = 0;  // further subscriptions, not listed
  std::uint64_t messages = 0;  // in the range
  // Copies (message × matched subscription), summed over the range:
  std::uint64_t matched = 0;
  std::uint64_t accepted = 0;
  std::uint64_t spilled = 0;
  std::uint64_t dropped = 0;
  std::uint64_t rejected = 0;
  std::uint64_t sequence = 0;                        // of the first message, in a stream
  std::vector<ReceiptSubscription> subscriptions{};  // at most 16
  // Extension area:
  std::string_view text{};  // tag 1: what stood in the way, for people; cut at kReceiptTextMax
};
inline constexpr std::size_t kReceiptTextMax = 1024;

/// Client to broker: withdraw. Broker to client: how much was withdrawn, or (kCancelExpired,
/// correlation 0) how many copies passed their deadline after their receipt was given.
struct Cancel {
  std::uint64_t target = 0;                     // correlation of what is meant
  FrameKind target_kind = FrameKind::kPublish;  // or kRequest
  // u8 + u16 + u32 reserved
  std::uint64_t withdrawn = 0;  // copies; from the client 0
  // Extension area, of a client's CANCEL of a PUBLISH: where it went, as PUBLISH said it
  std::uint32_t topic = 0;  // tag 1, u32
  std::string_view name{};  // tag 2
};
inline constexpr std::uint8_t kCancelExpired = 0x01;
inline constexpr std::size_t kTopicNameMax = 255;

}  // namespace sluice::wire
