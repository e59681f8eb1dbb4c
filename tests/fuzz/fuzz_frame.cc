// A stream of bytes, as a peer sends it: in random pieces it must give the same frames, or the same
// refusal, as in one piece; and what decodes must encode to the same bytes.

#include <algorithm>
#include <cstring>
#include <optional>

#include "libs/base/assert.h"
#include "libs/base/random.h"
#include "libs/wire/frame_reader.h"
#include "tests/conformance/frame_types.h"

namespace sluice::wire {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint32_t kMaxBody = 64U << 10;

template <typename T>
Bytes encoded_body(const T& frame, const FrameHeader& header) {
  Bytes out;
  encode(out, frame, header.correlation, static_cast<std::uint8_t>(header.flags & ~kFlagExtension));
  if constexpr (requires { frame.batch; }) {
    out.insert(out.end(), frame.batch.begin(), frame.batch.end());
  }
  ASSERT(out.size() >= kFrameHeaderBytes);
  return out;
}

/// Decodes; what decodes is encoded, decoded and encoded again.
void check_codec(const FrameHeader& header, ByteView body) {
  with_frame_type(header.kind, [&]<typename T>() {
    const auto frame = decode<T>(header, body);
    if (!frame) {
      ASSERT(!frame.error().detail.empty());
      return;
    }
    const Bytes once = encoded_body(*frame, header);
    if ((header.flags & kFlagExtension) == 0) {
      ASSERT(once.size() == kFrameHeaderBytes + body.size());
      ASSERT(std::equal(body.begin(), body.end(), once.begin() + kFrameHeaderBytes));
    }
    const auto again_header = read_header(once, kMaxMaxFrame);
    ASSERT(again_header && *again_header);
    const auto again = decode<T>(**again_header, ByteView(once).subspan(kFrameHeaderBytes));
    ASSERT(again);
    ASSERT(encoded_body(*again, **again_header) == once);
  });
}

/// The next frame of a stream that lies in one piece; nothing at its end or where it is refused.
std::optional<ByteView> next_whole(ByteView& rest) {
  const auto header = read_header(rest, kMaxBody);
  if (!header || !*header) return std::nullopt;
  const std::size_t bytes = kFrameHeaderBytes + (*header)->body_bytes;
  if (rest.size() < bytes) return std::nullopt;
  const ByteView frame = rest.first(bytes);
  rest = rest.subspan(bytes);
  return frame;
}

/// Takes what the reader has, comparing with the stream in one piece. False when it refuses.
bool take_frames(FrameReader& reader, ByteView& expected) {
  for (;;) {
    const auto frame = reader.next();
    if (!frame) {
      const auto refused = read_header(expected, kMaxBody);
      ASSERT(!refused && refused.error().code == frame.error().code);
      ASSERT(reader.buffered() == 0);
      return false;
    }
    if (!*frame) return true;
    const auto whole = next_whole(expected);
    ASSERT(whole);
    const ByteView body = (*frame)->body.view();
    ASSERT(std::ranges::equal(body, whole->subspan(kFrameHeaderBytes)));
    check_codec((*frame)->header, body);
  }
}

void run(ByteView stream) {
  base::SlabPool pool(4096, 2);
  SlabCursor cursor(pool, 256);
  FrameReader reader(cursor, kMaxBody);
  base::Random random(stream.size() + (stream.empty() ? 0 : static_cast<unsigned>(stream.back())));
  ByteView expected = stream;
  while (!stream.empty()) {
    const base::MutableByteView room = reader.prepare();
    ASSERT(!room.empty());
    const std::size_t most = std::min(room.size(), stream.size());
    const std::size_t bytes = std::min<std::size_t>(most, 1 + random.below(512));
    std::memcpy(room.data(), stream.data(), bytes);
    reader.commit(bytes);
    stream = stream.subspan(bytes);
    if (random.below(4) != 0 && !take_frames(reader, expected)) return;
    if (random.below(2) != 0) reader.settle();
  }
  if (!take_frames(reader, expected)) return;
  ASSERT(reader.buffered() == expected.size());
}

}  // namespace
}  // namespace sluice::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::wire::run(std::as_bytes(std::span(data, size)));
  return 0;
}
