#include "libs/wire/frame.h"

#include <array>
#include <gtest/gtest.h>
#include <set>

#include "libs/wire/frames.h"

namespace sluice::wire {
namespace {

using base::ErrorCode;
using HeaderBytes = std::array<std::byte, kFrameHeaderBytes>;

HeaderBytes header_bytes(FrameHeader header) {
  HeaderBytes bytes{};
  write_header(bytes.data(), header);
  return bytes;
}

TEST(FrameHeader, IsWrittenAsDocumented) {
  const HeaderBytes bytes = header_bytes({.body_bytes = 0x01020304,
                                          .kind = FrameKind::kPublish,
                                          .flags = kPublishNamed,
                                          .correlation = 0x0807060504030201});
  const std::array<unsigned char, 16> expected = {4, 3, 2, 1, 6, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(0, std::memcmp(bytes.data(), expected.data(), expected.size()));
}

TEST(FrameHeader, IsReadBack) {
  const HeaderBytes bytes = header_bytes({.body_bytes = 100,
                                          .kind = FrameKind::kAck,
                                          .flags = kAckCumulative | kFlagExtension,
                                          .correlation = 5});
  const auto header = read_header(bytes, 100);
  ASSERT_TRUE(header && *header);
  EXPECT_EQ(100U, (*header)->body_bytes);
  EXPECT_EQ(FrameKind::kAck, (*header)->kind);
  EXPECT_EQ(kAckCumulative | kFlagExtension, (*header)->flags);
  EXPECT_EQ(5U, (*header)->correlation);
}

TEST(FrameHeader, NeedsSixteenBytes) {
  const HeaderBytes bytes = header_bytes({.body_bytes = 1, .kind = FrameKind::kPing});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto header = read_header(base::ByteView(bytes).first(size), 100);
    ASSERT_TRUE(header);
    EXPECT_FALSE(*header);
  }
}

TEST(FrameHeader, EveryKindHasANameAndItsOwnFlags) {
  std::set<std::string_view> names;
  for (unsigned kind = 0; kind < 256; ++kind) {
    for (unsigned flags = 0; flags < 256; ++flags) {
      HeaderBytes bytes{};
      bytes[4] = std::byte(kind);
      bytes[5] = std::byte(flags);
      const auto header = read_header(bytes, 0);
      if (kind == 0 || kind > 27) {
        ASSERT_FALSE(header);
        EXPECT_EQ(ErrorCode::kUnknownKind, header.error().code);
        EXPECT_EQ("kind " + std::to_string(kind), header.error().detail);
        EXPECT_TRUE(frame_name(static_cast<FrameKind>(kind)).empty());
        continue;
      }
      names.insert(frame_name(static_cast<FrameKind>(kind)));
      unsigned allowed = kFlagExtension;
      if (kind == 3 || kind == 15 || kind == 19) allowed |= 1;
      if (kind == 6) allowed |= 0x0F;
      ASSERT_EQ((flags & ~allowed) == 0, header.has_value()) << kind << " " << flags;
      if (!header) {
        EXPECT_EQ(ErrorCode::kReservedBits, header.error().code);
      }
    }
  }
  EXPECT_EQ(27U, names.size());
  EXPECT_FALSE(names.contains(""));
}

struct Refusal {
  std::array<unsigned char, 16> bytes;
  ErrorCode code;
  const char* detail;
};

TEST(FrameHeader, RefusesWithTheReason) {
  const std::array<Refusal, 4> refusals = {{
      {{0, 0, 0, 0, 28}, ErrorCode::kUnknownKind, "kind 28"},
      {{8, 0, 0, 0, 24, 3}, ErrorCode::kReservedBits, "PING: flags 3, not defined: 3"},
      {{8, 0, 0, 0, 24, 0, 1}, ErrorCode::kReservedBits, "PING: header bytes 6 and 7 are 1, not 0"},
      {{0, 0, 1, 0, 6}, ErrorCode::kFrameTooLarge, "PUBLISH: body of 65536 bytes, at most 4096"},
  }};
  for (const Refusal& refusal : refusals) {
    const auto header = read_header(std::as_bytes(std::span(refusal.bytes)), kMaxHandshakeBody);
    ASSERT_FALSE(header);
    EXPECT_EQ(refusal.code, header.error().code);
    EXPECT_EQ(refusal.detail, header.error().detail);
  }
}

}  // namespace
}  // namespace sluice::wire
