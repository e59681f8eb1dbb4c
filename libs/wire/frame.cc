#include "libs/wire/frame.h"

#include <array>
#include <string>

#include "libs/wire/frames.h"

namespace sluice::wire {
namespace {

struct KindInfo {
  std::string_view name;   // empty: no such kind
  std::uint8_t flags = 0;  // allowed besides kFlagExtension
};

constexpr std::array<KindInfo, 28> kKinds = {{
    {},
    {"HELLO"},
    {"WELCOME"},
    {"AUTH", kAuthDone},
    {"OPEN_TOPIC"},
    {"TOPIC"},
    {"PUBLISH",
     kPublishNamed | kPublishReceiptProblems | kPublishReceiptNone | kPublishNeedResponders},
    {"RECEIPT"},
    {"SUBSCRIBE"},
    {"SUBSCRIBED"},
    {"UNSUBSCRIBE"},
    {"UNSUBSCRIBED"},
    {"CREDIT"},
    {"DELIVER"},
    {"GAP"},
    {"ACK", kAckCumulative},
    {"NACK"},
    {"EXTEND"},
    {"FETCH"},
    {"CANCEL", kCancelExpired},
    {"GRANT"},
    {"STATE"},
    {"REQUEST"},
    {"REPLY"},
    {"PING"},
    {"PONG"},
    {"GOAWAY"},
    {"ERROR"},
}};
static_assert(kKinds.size() == static_cast<std::size_t>(FrameKind::kError) + 1);

base::Error header_error(const FrameHeader& header, std::uint16_t reserved,
                         std::uint32_t max_body) {
  const auto kind = static_cast<std::size_t>(header.kind);
  if (kind >= kKinds.size() || kKinds[kind].name.empty()) {
    return {base::ErrorCode::kUnknownKind, "kind " + std::to_string(kind)};
  }
  const std::string name(kKinds[kind].name);
  const unsigned wrong = header.flags & ~(kKinds[kind].flags | kFlagExtension) & 0xFFU;
  if (wrong != 0) {
    return {base::ErrorCode::kReservedBits, name + ": flags " + std::to_string(header.flags) +
                                                ", not defined: " + std::to_string(wrong)};
  }
  if (reserved != 0) {
    return {base::ErrorCode::kReservedBits,
            name + ": header bytes 6 and 7 are " + std::to_string(reserved) + ", not 0"};
  }
  return {base::ErrorCode::kFrameTooLarge, name + ": body of " + std::to_string(header.body_bytes) +
                                               " bytes, at most " + std::to_string(max_body)};
}

}  // namespace

std::string_view frame_name(FrameKind kind) noexcept {
  const auto index = static_cast<std::size_t>(kind);
  return index < kKinds.size() ? kKinds[index].name : std::string_view{};
}

base::Result<std::optional<FrameHeader>> read_header(base::ByteView bytes, std::uint32_t max_body) {
  if (bytes.size() < kFrameHeaderBytes) return std::nullopt;
  const std::byte* at = bytes.data();
  const FrameHeader header{.body_bytes = base::load<std::uint32_t>(at),
                           .kind = static_cast<FrameKind>(base::load<std::uint8_t>(at + 4)),
                           .flags = base::load<std::uint8_t>(at + 5),
                           .correlation = base::load<std::uint64_t>(at + 8)};
  const auto reserved = base::load<std::uint16_t>(at + 6);
  const auto kind = static_cast<std::size_t>(header.kind);
  // Kind 0 has no name and fails here with the kinds past the end.
  const bool ok = kind - 1 < kKinds.size() - 1 &&
                  (header.flags & ~(kKinds[kind].flags | kFlagExtension) & 0xFFU) == 0 &&
                  reserved == 0 && header.body_bytes <= max_body;
  if (!ok) return base::fail(header_error(header, reserved, max_body));
  return header;
}

void write_header(std::byte* at, const FrameHeader& header) noexcept {
  base::store(at, header.body_bytes);
  base::store(at + 4, static_cast<std::uint8_t>(header.kind));
  base::store(at + 5, header.flags);
  base::store(at + 6, std::uint16_t{0});
  base::store(at + 8, header.correlation);
}

}  // namespace sluice::wire
