// blocking_peer.h: a client of plain, blocking sockets, for tests of real threads.
//
// Owner:    the test.
// Thread:   the test's.
// Errors:   a test failure, and nothing read.

#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "libs/loop/owned_fd.h"
#include "libs/wire/batch.h"
#include "libs/wire/codec.h"

namespace sluice::testing {

/// Two ends of one loopback connection: ours blocks, the other is for a shard.
inline std::pair<loop::OwnedFd, loop::OwnedFd> tcp_pair() {
  const loop::OwnedFd listener(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener.get(), generic, size), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(::getsockname(listener.get(), generic, &size), 0);
  loop::OwnedFd ours(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(::connect(ours.get(), generic, size), 0);
  loop::OwnedFd theirs(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
  EXPECT_TRUE(ours && theirs);
  return {std::move(ours), std::move(theirs)};
}

struct HeardFrame {
  wire::FrameHeader header;
  std::vector<std::byte> body;
  template <typename T>
  T as() const {
    auto decoded = wire::decode<T>(header, body);
    EXPECT_TRUE(decoded.has_value());
    return decoded ? *decoded : T{};
  }
};

class BlockingPeer {
 public:
  explicit BlockingPeer(loop::OwnedFd socket) : socket_(std::move(socket)) {}

  template <typename T>
  void say(const T& frame, std::uint64_t correlation) {
    std::vector<std::byte> out;
    wire::encode(out, frame, correlation);
    send(out);
  }

  void publish(std::uint64_t number, std::string_view topic, std::string_view payload) {
    wire::BatchBuilder builder;
    builder.add(base::as_bytes(payload));
    const std::vector<std::byte> batch = builder.finish({});
    wire::Publish frame;
    frame.name = topic;
    frame.batch = batch;
    std::vector<std::byte> out;
    wire::encode(out, frame, number, wire::kPublishNamed);
    out.insert(out.end(), batch.begin(), batch.end());
    send(out);
  }

  /// Says that nothing more comes.
  void half_close() { EXPECT_EQ(::shutdown(socket_.get(), SHUT_WR), 0); }

  /// The next frame of `kind`, passing over others; nothing when the broker closes first.
  std::optional<HeardFrame> hear(wire::FrameKind kind) {
    while (true) {
      std::optional<HeardFrame> frame = next();
      if (!frame || frame->header.kind == kind) return frame;
    }
  }

 private:
  void send(base::ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      ASSERT_GT(sent, 0);
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
  }

  std::optional<HeardFrame> next() {
    HeardFrame frame;
    std::vector<std::byte> header(wire::kFrameHeaderBytes);
    if (!receive(header)) return std::nullopt;
    const auto read = wire::read_header(header, wire::kMaxMaxFrame);
    EXPECT_TRUE(read.has_value() && read->has_value());
    frame.header = **read;
    frame.body.resize(frame.header.body_bytes);
    if (!receive(frame.body)) return std::nullopt;
    return frame;
  }

  bool receive(base::MutableByteView room) {
    while (!room.empty()) {
      const ssize_t got = ::recv(socket_.get(), room.data(), room.size(), 0);
      if (got <= 0) return false;
      room = room.subspan(static_cast<std::size_t>(got));
    }
    return true;
  }

  loop::OwnedFd socket_;
};

}  // namespace sluice::testing
