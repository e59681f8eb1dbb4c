#include "libs/loop/tcp_stream.h"

#include <cstring>
#include <sys/socket.h>

#include "libs/base/random.h"
#include "tests/unit/libs/loop/tcp_fixture.h"

namespace sluice::loop {
namespace {

class TcpStreamTest : public TcpPair {};

Buffer buffer_of(const base::SlabRef& slab) { return {slab->data(), slab->capacity()}; }

base::SlabRef filled_slab(std::size_t bytes, unsigned char value) {
  base::SlabRef slab = base::SlabRef::make(bytes);
  std::memset(slab->data(), value, bytes);
  return slab;
}

TEST_F(TcpStreamTest, AWriteThatFitsKeepsNothing) {
  std::vector<base::SlabRef> keep{filled_slab(100, 'x')};
  const Buffer buffer = buffer_of(keep[0]);
  ASSERT_TRUE(near->write({&buffer, 1}, keep));
  EXPECT_EQ(keep.size(), 1U);
  EXPECT_TRUE(keep[0]->is_sole_reference());
  EXPECT_EQ(near->pending_bytes(), 0U);
  run_until([&] { return far_handler.bytes_read == 100; });
  EXPECT_EQ(far_handler.received, std::string(100, 'x'));
  EXPECT_EQ(near_handler.drained, 0);
}

TEST_F(TcpStreamTest, EchoesBothWays) {
  far_handler.read_hook = [&] {
    ASSERT_TRUE(far->write_copy(base::as_bytes(far_handler.received)));
    far_handler.received.clear();
  };
  ASSERT_TRUE(near->write_copy(base::as_bytes("hello")));
  run_until([&] { return near_handler.received.size() == 5; });
  EXPECT_EQ(near_handler.received, "hello");
  EXPECT_EQ(near->peer_address(), far->local_address());
  EXPECT_EQ(near->local_address(), far->peer_address());
}

TEST_F(TcpStreamTest, BuffersOfOneWriteArriveInOrder) {
  std::vector<Buffer> buffers;
  std::string expected;
  std::vector<std::string> parts;
  parts.reserve(3000);
  for (int i = 0; i < 3000; ++i) parts.push_back(std::to_string(i) + ",");
  for (const std::string& part : parts) {
    const auto bytes = base::as_bytes(part);
    buffers.push_back({bytes.data(), bytes.size()});
    expected += part;
  }
  std::vector<base::SlabRef> keep;
  ASSERT_TRUE(near->write(buffers, keep));
  run_until([&] { return far_handler.received.size() >= expected.size(); });
  EXPECT_EQ(far_handler.received, expected);
}

// Writes much more than the sockets hold while the peer does not read: every byte arrives, in
// order, and each slab is let go once it has left.
TEST_F(TcpStreamTest, WhatTheKernelRefusesIsSentLaterFromTheSameBytes) {
  connect({.send_buffer_bytes = 65536}, {.receive_buffer_bytes = 262144});
  far->pause_reading();
  base::Random random(7);
  far_handler.keep_text = false;
  std::uint64_t sent_total = 0;
  std::uint64_t wrong_bytes = 0;
  std::uint64_t position = 0;
  far_handler.check_byte = [&](base::ByteView bytes) {
    for (const std::byte value : bytes) {
      if (value != static_cast<std::byte>(position++ * 31 >> 3)) ++wrong_bytes;
    }
  };
  std::vector<base::SlabRef> all;
  for (int round = 0; round < 200; ++round) {
    std::vector<base::SlabRef> keep;
    std::vector<Buffer> buffers;
    std::array<std::byte, 32> header{};
    for (std::byte& value : header) value = static_cast<std::byte>(sent_total++ * 31 >> 3);
    buffers.push_back({header.data(), header.size()});
    for (int i = 0; i < 5; ++i) {
      base::SlabRef slab = base::SlabRef::make(1 + random.below(20000));
      for (std::size_t n = 0; n < slab->capacity(); ++n) {
        slab->data()[n] = static_cast<std::byte>(sent_total++ * 31 >> 3);
      }
      buffers.push_back(buffer_of(slab));
      all.push_back(slab);
      keep.push_back(std::move(slab));
    }
    ASSERT_TRUE(near->write(buffers, keep, header));
    EXPECT_EQ(keep.empty(), near->pending_bytes() > 0);
    header.fill(std::byte{0xFF});  // the caller reuses what was transient
  }
  EXPECT_GT(near->pending_bytes(), 1U << 20);
  EXPECT_FALSE(all.back()->is_sole_reference());
  far->start_reading();
  run_until([&] { return near_handler.drained > 0 && far_handler.bytes_read == sent_total; });
  EXPECT_EQ(wrong_bytes, 0U);
  EXPECT_EQ(near->pending_bytes(), 0U);
  for (const base::SlabRef& slab : all) EXPECT_TRUE(slab->is_sole_reference());
}

// Fills the sockets, so that nothing of the next write leaves.
class FullTcpStream : public TcpStreamTest {
 protected:
  void fill() {
    connect({.send_buffer_bytes = 65536, .account = &account}, {.receive_buffer_bytes = 65536});
    far->pause_reading();
    far_handler.keep_text = false;
    std::vector<base::SlabRef> keep{filled_slab(4U << 20, 'f')};
    filling = 4U << 20;
    const Buffer buffer = buffer_of(keep[0]);
    ASSERT_TRUE(near->write({&buffer, 1}, keep));
    ASSERT_GT(near->pending_bytes(), 0U);
  }
  void drain(std::size_t bytes) {
    far->start_reading();
    run_until([&] { return far_handler.bytes_read == filling + bytes; });
  }

  base::SlabAccount account;
  std::size_t filling = 0;
};

TEST_F(FullTcpStream, ALittleThatKeepsMuchAliveIsCopiedAndCounted) {
  fill();
  const std::uint64_t before = account.bytes();
  const base::SlabRef slab = filled_slab(1U << 20, 'x');
  std::vector<base::SlabRef> keep{slab};  // held by us as well: half of it counts
  const std::string header = "header";
  const base::ByteView transient = base::as_bytes(header);
  const std::vector<Buffer> buffers{{transient.data(), 6}, {slab->data() + 10, 1000}};
  ASSERT_TRUE(near->write(buffers, keep, transient));
  EXPECT_TRUE(keep.empty());
  EXPECT_TRUE(slab->is_sole_reference());
  EXPECT_EQ(account.bytes(), before + base::Slab::footprint(1006));
  std::uint64_t sum = 0;
  far_handler.check_byte = [&](base::ByteView bytes) {
    for (const std::byte value : bytes) sum += value != std::byte{'f'} ? 1 : 0;
  };
  drain(1006);
  EXPECT_EQ(sum, 1006U);
  EXPECT_EQ(account.bytes(), 0U);
}

TEST_F(FullTcpStream, WhatManyShareIsNotCopied) {
  fill();
  const base::SlabRef slab = filled_slab(64'000, 'x');
  const std::vector<base::SlabRef> others(20, slab);
  std::vector<base::SlabRef> keep{slab};
  const Buffer buffer{slab->data(), 1001};
  ASSERT_TRUE(near->write({&buffer, 1}, keep));
  EXPECT_EQ(slab->references(), 22U);
  EXPECT_EQ(account.bytes(), 0U);
  drain(1001);
  EXPECT_EQ(slab->references(), 21U);
}

TEST_F(FullTcpStream, WhatKeepsLittleMoreAliveIsNotCopied) {
  fill();
  const base::SlabRef first = filled_slab(100'000, 'a');
  const base::SlabRef second = filled_slab(100'000, 'b');
  std::vector<base::SlabRef> keep{first, second};
  const std::vector<Buffer> buffers{buffer_of(first), {second->data(), 50'000}};
  ASSERT_TRUE(near->write(buffers, keep));
  EXPECT_FALSE(first->is_sole_reference());
  EXPECT_FALSE(second->is_sole_reference());
  EXPECT_EQ(account.bytes(), 0U);
  drain(150'000);
  EXPECT_TRUE(first->is_sole_reference());
  EXPECT_TRUE(second->is_sole_reference());
}

TEST_F(TcpStreamTest, WhatHasLeftIsLetGoThoughTheRestOfTheWriteHasNot) {
  connect({.send_buffer_bytes = 65536}, {.receive_buffer_bytes = 65536});
  far->pause_reading();
  std::vector<base::SlabRef> slabs;
  std::vector<Buffer> buffers;
  for (int i = 0; i < 100; ++i) {
    slabs.push_back(filled_slab(40'000, 'x'));
    buffers.push_back(buffer_of(slabs.back()));
  }
  std::vector<base::SlabRef> keep = slabs;
  ASSERT_TRUE(near->write(buffers, keep));
  ASSERT_GT(near->pending_bytes(), 100'000U);
  ASSERT_LT(near->pending_bytes(), 3'900'000U);
  EXPECT_TRUE(slabs.front()->is_sole_reference());
  EXPECT_FALSE(slabs.back()->is_sole_reference());
}

TEST_F(TcpStreamTest, WatermarksAreCrossedOnceEachWay) {
  connect({.send_buffer_bytes = 65536}, {.receive_buffer_bytes = 262144});
  far->pause_reading();
  near->set_watermarks(1U << 20, 1U << 16);
  far_handler.keep_text = false;
  std::size_t sent = 0;
  while (near_handler.high == 0) {
    std::vector<base::SlabRef> keep{filled_slab(65536, 'w')};
    const Buffer buffer = buffer_of(keep[0]);
    ASSERT_TRUE(near->write({&buffer, 1}, keep));
    sent += 65536;
  }
  EXPECT_GE(near->pending_bytes(), 1U << 20);
  ASSERT_TRUE(near->write_copy(base::as_bytes("more")));
  sent += 4;
  EXPECT_EQ(near_handler.high, 1);
  EXPECT_EQ(near_handler.low, 0);
  far->start_reading();
  run_until([&] { return far_handler.bytes_read == sent && near->pending_bytes() == 0; });
  EXPECT_EQ(near_handler.high, 1);
  EXPECT_EQ(near_handler.low, 1);
}

TEST_F(TcpStreamTest, PausedReadingLeavesTheBytesInTheSocket) {
  far->pause_reading();
  EXPECT_FALSE(far->is_reading());
  ASSERT_TRUE(near->write_copy(base::as_bytes("later")));
  for (int i = 0; i < 5; ++i) loop.run_ready();
  EXPECT_EQ(far_handler.bytes_read, 0U);
  far->start_reading();
  run_until([&] { return far_handler.bytes_read == 5; });
}

TEST_F(TcpStreamTest, PausingInsideTheReadCallbackStopsFurtherReads) {
  far_handler.read_hook = [&] { far->pause_reading(); };
  far_handler.keep_text = false;
  std::vector<base::SlabRef> keep{filled_slab(200000, 'p')};
  const Buffer buffer = buffer_of(keep[0]);
  ASSERT_TRUE(near->write({&buffer, 1}, keep));
  run_until([&] { return far_handler.bytes_read > 0; });
  const std::size_t after_first = far_handler.bytes_read;
  EXPECT_LE(after_first, 65536U);
  for (int i = 0; i < 5; ++i) loop.run_ready();
  EXPECT_EQ(far_handler.bytes_read, after_first);
  far_handler.read_hook = nullptr;
  far->start_reading();
  run_until([&] { return far_handler.bytes_read == 200000; });
}

TEST_F(TcpStreamTest, AfterHalfCloseTheOtherWayStillWorks) {
  ASSERT_TRUE(near->write_copy(base::as_bytes("last")));
  near->shutdown_write();
  run_until([&] { return far_handler.ended; });
  EXPECT_EQ(far_handler.received, "last");
  ASSERT_TRUE(far->write_copy(base::as_bytes("answer")));
  run_until([&] { return near_handler.received.size() == 6; });
  EXPECT_TRUE(near_handler.errors.empty());
}

TEST_F(TcpStreamTest, HalfCloseWaitsForWhatIsPending) {
  connect({.send_buffer_bytes = 65536}, {.receive_buffer_bytes = 262144});
  far->pause_reading();
  far_handler.keep_text = false;
  constexpr std::size_t kBytes = 4U << 20;
  std::vector<base::SlabRef> keep{filled_slab(kBytes, 'z')};
  const Buffer buffer = buffer_of(keep[0]);
  ASSERT_TRUE(near->write({&buffer, 1}, keep));
  ASSERT_TRUE(near->write_copy(base::as_bytes("end")));
  near->shutdown_write();
  far->start_reading();
  run_until([&] { return far_handler.ended; });
  EXPECT_EQ(far_handler.bytes_read, kBytes + 3);
}

TEST_F(TcpStreamTest, APeerThatResetsIsReportedOnceAndWritesFail) {
  OwnedFd accepted;
  TcpListener listener(loop, {[&](OwnedFd fd) { accepted = std::move(fd); }, {}});
  ASSERT_TRUE(listener.listen({"127.0.0.1", 0}));
  OwnedFd connected;
  TcpConnector connector(loop);
  connector.connect(listener.local_address(),
                    [&](base::Result<OwnedFd> fd) { connected = std::move(*fd); });
  run_until([&] { return accepted && connected; });
  RecordingHandler handler;
  TcpStream stream(loop, std::move(connected), handler);
  stream.start_reading();
  const linger reset{1, 0};
  ASSERT_EQ(::setsockopt(accepted.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
  accepted.reset();
  run_until([&] { return !handler.errors.empty(); });
  EXPECT_EQ(handler.errors[0].code, base::ErrorCode::kConnectionLost);
  EXPECT_NE(handler.errors[0].detail.find("reset"), std::string::npos);
  const base::Status status = stream.write_copy(base::as_bytes("x"));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, base::ErrorCode::kConnectionLost);
  loop.run_ready();
  EXPECT_EQ(handler.errors.size(), 1U);
}

TEST_F(TcpStreamTest, ClosingWithAWritePendingLetsGoOfItsBytes) {
  connect({.send_buffer_bytes = 65536}, {.receive_buffer_bytes = 262144});
  far->pause_reading();
  base::SlabRef slab = filled_slab(8U << 20, 'q');
  std::vector<base::SlabRef> keep{slab};
  const Buffer buffer = buffer_of(slab);
  ASSERT_TRUE(near->write({&buffer, 1}, keep));
  ASSERT_GT(near->pending_bytes(), 0U);
  near.reset();
  loop.run_ready();
  loop.run_ready();
  EXPECT_TRUE(slab->is_sole_reference());
  EXPECT_EQ(near_handler.drained, 0);
  EXPECT_TRUE(near_handler.errors.empty());
}

TEST_F(TcpStreamTest, MayBeDestroyedInsideItsReadCallback) {
  far_handler.read_hook = [&] { far.reset(); };
  std::vector<base::SlabRef> keep{filled_slab(200000, 'd')};
  const Buffer buffer = buffer_of(keep[0]);
  ASSERT_TRUE(near->write({&buffer, 1}, keep));
  run_until([&] { return far == nullptr; });
  const std::size_t read = far_handler.bytes_read;
  run_until([&] { return near_handler.ended || !near_handler.errors.empty(); });
  EXPECT_EQ(far_handler.bytes_read, read);
}

}  // namespace
}  // namespace sluice::loop
