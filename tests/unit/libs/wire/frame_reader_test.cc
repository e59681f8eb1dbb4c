#include "libs/wire/frame_reader.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>

#include "libs/base/random.h"
#include "tests/unit/libs/wire/samples.h"

namespace sluice::wire {
namespace {

using base::ErrorCode;
using samples::Bytes;

constexpr std::size_t kSlabBytes = 16U << 10;
constexpr std::size_t kMinRoom = 2U << 10;
constexpr std::uint32_t kMaxBody = 256U << 10;

/// A frame with a body of `body_bytes` that depends on `number`.
Bytes frame_of(std::uint64_t number, std::size_t body_bytes) {
  Bytes frame(kFrameHeaderBytes + body_bytes);
  write_header(frame.data(), {.body_bytes = static_cast<std::uint32_t>(body_bytes),
                              .kind = FrameKind::kPing,
                              .correlation = number});
  for (std::size_t i = 0; i < body_bytes; ++i) {
    frame[kFrameHeaderBytes + i] = std::byte((number * 31 + i) & 0xFF);
  }
  return frame;
}

void append(Bytes& to, const Bytes& from) { to.insert(to.end(), from.begin(), from.end()); }

struct ReaderFixture : testing::Test {
  base::SlabPool pool{kSlabBytes, 4};
  SlabCursor cursor{pool, kMinRoom};

  /// One read of at most `bytes`; returns how many went in.
  static std::size_t feed(FrameReader& reader, ByteView bytes) {
    const base::MutableByteView room = reader.prepare();
    EXPECT_FALSE(room.empty());
    const std::size_t taken = std::min(room.size(), bytes.size());
    if (taken != 0) std::memcpy(room.data(), bytes.data(), taken);
    reader.commit(taken);
    return taken;
  }
  static void feed_all(FrameReader& reader, ByteView bytes) {
    while (!bytes.empty()) bytes = bytes.subspan(feed(reader, bytes));
  }
  /// The next frame as its whole bytes; empty when there is none.
  static Bytes next_bytes(FrameReader& reader) {
    const auto frame = reader.next();
    EXPECT_TRUE(frame) << frame.error().message();
    if (!frame || !*frame) return {};
    Bytes out(kFrameHeaderBytes);
    write_header(out.data(), (*frame)->header);
    const ByteView body = (*frame)->body.view();
    out.insert(out.end(), body.begin(), body.end());
    return out;
  }
};

using FrameReaderTest = ReaderFixture;

TEST_F(FrameReaderTest, GivesEachFrameOfOneRead) {
  FrameReader reader(cursor, kMaxBody);
  Bytes stream = frame_of(1, 10);
  append(stream, frame_of(2, 0));
  append(stream, frame_of(3, 100));
  feed_all(reader, stream);
  EXPECT_EQ(stream.size(), reader.buffered());
  EXPECT_EQ(frame_of(1, 10), next_bytes(reader));
  EXPECT_EQ(frame_of(2, 0), next_bytes(reader));
  EXPECT_EQ(frame_of(3, 100), next_bytes(reader));
  EXPECT_TRUE(next_bytes(reader).empty());
  EXPECT_EQ(0U, reader.buffered());
}

TEST_F(FrameReaderTest, TakesBytesOneByOne) {
  for (const bool settling : {false, true}) {
    FrameReader reader(cursor, kMaxBody);
    for (std::uint64_t number = 1; number <= 20; ++number) {
      const Bytes frame = frame_of(number, number * 7);
      for (std::size_t i = 0; i < frame.size(); ++i) {
        ASSERT_TRUE(next_bytes(reader).empty());
        ASSERT_EQ(i, reader.buffered());
        ASSERT_EQ(1U, feed(reader, ByteView(frame).subspan(i, 1)));
        if (settling) reader.settle();
      }
      ASSERT_EQ(frame, next_bytes(reader));
    }
  }
}

TEST_F(FrameReaderTest, GivesMuchRoomInTheUsualCase) {
  FrameReader reader(cursor, kMaxBody);
  EXPECT_EQ(kSlabBytes, reader.prepare().size());
  feed_all(reader, frame_of(1, 84));
  EXPECT_EQ(100U, next_bytes(reader).size());
  EXPECT_EQ(kSlabBytes, reader.prepare().size());  // the frame is gone, its bytes are free again
  feed_all(reader, frame_of(2, 84));
  const auto held = reader.next();
  ASSERT_TRUE(held && *held);
  EXPECT_EQ(kSlabBytes - 100, reader.prepare().size());
}

TEST_F(FrameReaderTest, AFrameThatFitsItsSlabIsNotMoved) {
  FrameReader reader(cursor, kMaxBody);
  const Bytes frame = frame_of(1, 8000);
  const base::MutableByteView first = reader.prepare();
  std::memcpy(first.data(), frame.data(), 20);
  reader.commit(20);
  ASSERT_TRUE(next_bytes(reader).empty());
  const base::MutableByteView second = reader.prepare();
  EXPECT_EQ(first.data() + 20, second.data());
  feed_all(reader, ByteView(frame).subspan(20));
  const auto whole = reader.next();
  ASSERT_TRUE(whole && *whole);
  EXPECT_EQ(first.data() + kFrameHeaderBytes, (*whole)->body.data());
}

TEST_F(FrameReaderTest, AFrameAtTheEndOfASlabIsMovedToTheNext) {
  FrameReader reader(cursor, kMaxBody);
  Bytes stream = frame_of(1, kSlabBytes - 1000 - kFrameHeaderBytes);
  const Bytes straddling = frame_of(2, 5000);
  append(stream, straddling);
  const std::size_t taken = feed(reader, stream);
  EXPECT_EQ(kSlabBytes, taken);
  const auto first = reader.next();
  ASSERT_TRUE(first && *first);
  ASSERT_TRUE(next_bytes(reader).empty());
  feed_all(reader, ByteView(stream).subspan(taken));
  const auto second = reader.next();
  ASSERT_TRUE(second && *second);
  EXPECT_NE((*first)->body.slab(), (*second)->body.slab());
  EXPECT_EQ(2U, pool.in_use());
  EXPECT_TRUE(
      std::ranges::equal((*second)->body.view(), ByteView(straddling).subspan(kFrameHeaderBytes)));
}

TEST_F(FrameReaderTest, AFrameLargerThanASlabIsReadWhole) {
  FrameReader reader(cursor, kMaxBody);
  const Bytes large = frame_of(7, 200'000);
  Bytes stream = frame_of(6, 10);
  append(stream, large);
  append(stream, frame_of(8, 10));
  feed_all(reader, stream);
  EXPECT_EQ(frame_of(6, 10), next_bytes(reader));
  EXPECT_EQ(large, next_bytes(reader));
  EXPECT_EQ(frame_of(8, 10), next_bytes(reader));
}

TEST_F(FrameReaderTest, HoldsInProportionToWhatArrivedNotToWhatIsAnnounced) {
  constexpr std::uint32_t kAnnounced = 64U << 20;
  FrameReader reader(cursor, kAnnounced);
  Bytes header(kFrameHeaderBytes);
  write_header(header.data(), {.body_bytes = kAnnounced, .kind = FrameKind::kPing});
  feed_all(reader, header);
  std::size_t sent = header.size();
  const Bytes chunk(1000);
  while (sent < 1'000'000) {
    ASSERT_TRUE(next_bytes(reader).empty());
    const base::MutableByteView room = reader.prepare();
    // What is held is what was sent and the room behind it.
    EXPECT_LE(sent + room.size(), std::max(2 * sent, kSlabBytes) + kFrameHeaderBytes);
    const std::size_t bytes = std::min(room.size(), chunk.size());
    std::memcpy(room.data(), chunk.data(), bytes);
    reader.commit(bytes);
    sent += bytes;
  }
  EXPECT_EQ(sent, reader.buffered());
}

TEST_F(FrameReaderTest, IdleReadersHoldNoSlab) {
  std::vector<std::unique_ptr<FrameReader>> readers;
  for (std::uint64_t i = 0; i < 100; ++i) {
    readers.push_back(std::make_unique<FrameReader>(cursor, kMaxBody));
    feed_all(*readers.back(), frame_of(i, 1000));
    EXPECT_EQ(frame_of(i, 1000), next_bytes(*readers.back()));
    readers.back()->settle();
  }
  EXPECT_EQ(1U, pool.in_use());  // the cursor's
}

TEST_F(FrameReaderTest, SmallPartialFramesDoNotHoldTheSharedSlab) {
  std::vector<std::unique_ptr<FrameReader>> readers;
  for (std::uint64_t i = 0; i < 100; ++i) {
    readers.push_back(std::make_unique<FrameReader>(cursor, kMaxBody));
    feed_all(*readers.back(), ByteView(frame_of(i, 6000)).first(3000));
    ASSERT_TRUE(next_bytes(*readers.back()).empty());
    readers.back()->settle();
  }
  EXPECT_EQ(1U, pool.in_use());
  for (std::uint64_t i = 0; i < 100; ++i) {
    feed_all(*readers[i], ByteView(frame_of(i, 6000)).subspan(3000));
    EXPECT_EQ(frame_of(i, 6000), next_bytes(*readers[i]));
  }
}

TEST_F(FrameReaderTest, SettlingASmallPartialGivesItsBytesBack) {
  FrameReader reader(cursor, kMaxBody);
  const Bytes frame = frame_of(1, 3000);
  const std::byte* const start = reader.prepare().data();
  feed_all(reader, ByteView(frame).first(100));
  reader.settle();
  FrameReader other(cursor, kMaxBody);
  EXPECT_EQ(start, other.prepare().data());
  reader.settle();  // a second time changes nothing
  EXPECT_EQ(100U, reader.buffered());
  feed_all(reader, ByteView(frame).subspan(100));
  EXPECT_EQ(frame, next_bytes(reader));
}

TEST_F(FrameReaderTest, ALargerPartialKeepsItsSlabAndGoesOnWhereItStands) {
  FrameReader reader(cursor, kMaxBody);
  FrameReader other(cursor, kMaxBody);
  const Bytes frame = frame_of(1, 10'000);
  const std::byte* const start = reader.prepare().data();
  feed_all(reader, ByteView(frame).first(5000));
  ASSERT_TRUE(next_bytes(reader).empty());
  reader.settle();
  feed_all(other, frame_of(2, 500));
  EXPECT_EQ(2U, pool.in_use());
  EXPECT_EQ(frame_of(2, 500), next_bytes(other));
  EXPECT_EQ(start + 5000, reader.prepare().data());
  feed_all(reader, ByteView(frame).subspan(5000));
  EXPECT_EQ(frame, next_bytes(reader));
  EXPECT_EQ(1U, pool.in_use());
}

TEST_F(FrameReaderTest, ReadersThatReadInTurnWithoutSettlingKeepTheirBytesApart) {
  FrameReader first(cursor, kMaxBody);
  FrameReader second(cursor, kMaxBody);
  const Bytes one = frame_of(1, 3000);
  const Bytes two = frame_of(2, 3000);
  for (std::size_t at = 0; at < one.size(); at += 104) {
    const std::size_t bytes = std::min<std::size_t>(104, one.size() - at);
    feed_all(first, ByteView(one).subspan(at, bytes));
    feed_all(second, ByteView(two).subspan(at, bytes));
  }
  EXPECT_EQ(one, next_bytes(first));
  EXPECT_EQ(two, next_bytes(second));
}

TEST_F(FrameReaderTest, ManyReadsWithoutNextAreKept) {
  FrameReader reader(cursor, kMaxBody);
  Bytes stream;
  for (std::uint64_t i = 0; i < 100; ++i) append(stream, frame_of(i, 1000));
  feed_all(reader, stream);
  EXPECT_EQ(stream.size(), reader.buffered());
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(frame_of(i, 1000), next_bytes(reader));
}

TEST_F(FrameReaderTest, WaitingFramesAreMovedSeldom) {
  FrameReader reader(cursor, kMaxBody);
  const Bytes frame = frame_of(1, 84);
  std::size_t moves = 0;
  const std::byte* expected = nullptr;
  for (std::size_t sent = 0; sent < 1'000'000; sent += frame.size()) {
    const base::MutableByteView room = reader.prepare();
    if (room.data() != expected) ++moves;
    const std::size_t bytes = std::min(room.size(), frame.size());
    std::memcpy(room.data(), frame.data(), bytes);
    reader.commit(bytes);
    feed_all(reader, ByteView(frame).subspan(bytes));
    expected = room.data() + bytes;
  }
  EXPECT_LE(moves, 20U);  // 16 KiB, and doubled up to a megabyte
}

TEST_F(FrameReaderTest, FramesOutliveTheReader) {
  base::SharedBytes body;
  const Bytes frame = frame_of(5, 500);
  {
    FrameReader reader(cursor, kMaxBody);
    feed_all(reader, frame);
    auto next = reader.next();
    ASSERT_TRUE(next && *next);
    body = (*next)->body;
  }
  FrameReader other(cursor, kMaxBody);
  feed_all(other, frame_of(6, kSlabBytes - 2000));  // would overwrite a slab given back too early
  EXPECT_TRUE(std::ranges::equal(body.view(), ByteView(frame).subspan(kFrameHeaderBytes)));
}

TEST_F(FrameReaderTest, RefusesABodyOverTheMaximumAndGoesNoFurther) {
  FrameReader reader(cursor, 4096);
  feed_all(reader, frame_of(1, 4096));
  EXPECT_EQ(frame_of(1, 4096), next_bytes(reader));
  Bytes stream = frame_of(2, 4097);
  append(stream, frame_of(3, 1));
  feed_all(reader, ByteView(stream).first(kFrameHeaderBytes));
  auto refused = reader.next();
  ASSERT_FALSE(refused);
  EXPECT_EQ(ErrorCode::kFrameTooLarge, refused.error().code);
  EXPECT_EQ("PING: body of 4097 bytes, at most 4096", refused.error().detail);
  feed_all(reader, frame_of(4, 1));
  EXPECT_EQ(0U, reader.buffered());  // nothing piles up
  refused = reader.next();
  ASSERT_FALSE(refused);
  EXPECT_EQ(ErrorCode::kFrameTooLarge, refused.error().code);
  EXPECT_EQ("an earlier frame could not be read", refused.error().detail);
}

TEST_F(FrameReaderTest, TheMaximumCanBeRaised) {
  FrameReader reader(cursor, 100);
  reader.set_max_body(5000);
  feed_all(reader, frame_of(1, 5000));
  EXPECT_EQ(frame_of(1, 5000), next_bytes(reader));
}

TEST_F(FrameReaderTest, RefusesOtherWrongHeaders) {
  FrameReader reader(cursor, kMaxBody);
  Bytes frame = frame_of(1, 10);
  frame[4] = std::byte{99};
  feed_all(reader, frame);
  const auto refused = reader.next();
  ASSERT_FALSE(refused);
  EXPECT_EQ(ErrorCode::kUnknownKind, refused.error().code);
}

/// Random frames over several readers, in random pieces, against the frames that went in.
TEST_F(FrameReaderTest, GivesTheSameFramesHoweverTheBytesAreSplit) {
  constexpr std::size_t kReaders = 4;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE(seed);
    base::Random random(seed);
    std::vector<std::unique_ptr<FrameReader>> readers;
    std::vector<Bytes> streams(kReaders);
    std::vector<std::vector<Bytes>> expected(kReaders);
    std::vector<std::size_t> sent(kReaders);
    std::vector<std::size_t> received(kReaders);
    std::vector<Frame> kept;  // now and then, as queues do
    for (std::size_t r = 0; r < kReaders; ++r) {
      readers.push_back(std::make_unique<FrameReader>(cursor, kMaxBody));
      for (std::uint64_t i = 0; i < 40; ++i) {
        const std::size_t limit =
            random.below(8) != 0 ? 300 : (random.below(4) != 0 ? 9000 : 60000);
        expected[r].push_back(frame_of(i, random.below(limit)));
        append(streams[r], expected[r].back());
      }
    }
    std::size_t open = kReaders;
    while (open != 0) {
      const std::size_t r = random.below(kReaders);
      FrameReader& reader = *readers[r];
      const ByteView rest = ByteView(streams[r]).subspan(sent[r]);
      if (rest.empty()) continue;
      const std::size_t piece = 1 + random.below(random.below(3) != 0 ? 2000 : 40000);
      sent[r] += feed(reader, rest.first(std::min(piece, rest.size())));
      for (;;) {
        auto next = reader.next();
        ASSERT_TRUE(next);
        if (!*next) break;
        const Bytes& wanted = expected[r].at(received[r]++);
        ASSERT_TRUE(
            std::ranges::equal((*next)->body.view(), ByteView(wanted).subspan(kFrameHeaderBytes)));
        if (random.below(10) == 0) kept.push_back(**next);
        if (random.below(20) == 0) kept.clear();
      }
      if (random.below(2) == 0) reader.settle();
      if (sent[r] == streams[r].size()) {
        EXPECT_EQ(expected[r].size(), received[r]);
        EXPECT_EQ(0U, reader.buffered());
        --open;
      }
    }
  }
  EXPECT_LE(pool.in_use(), 1U);
}

}  // namespace
}  // namespace sluice::wire
