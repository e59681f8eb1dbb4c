// link.h: moves bytes between one session and its socket.
//
// Owner:    the driver, which also owns the room that bytes are read into.
// Thread:   owner thread only.
// Limits:   a session may leave kCarryRoom bytes untaken: more than any frame it accepts.
// Errors:   a link whose connection closed, or whose session reported an error, is over: it moves
//           nothing more and says why.

#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/load/socket.h"

namespace sluice::bench {

inline constexpr std::size_t kReadBytes = 256U << 10;
inline constexpr std::size_t kCarryRoom = 2U << 20;

template <typename Session>
class Link {
 public:
  Link(int socket, Session made) : session(std::move(made)), socket_(socket) {}

  /// Reads once, behind what the session left untaken; true when there may be more to read.
  /// Requires: `room` of kCarryRoom + kReadBytes. `timed`: the session wants to know the time.
  /// At most `limit` bytes, for a reader that is slow on purpose.
  bool pull(std::vector<std::byte>& room, bool timed, std::size_t limit = kReadBytes) {
    if (over()) return false;
    const std::size_t carried = carry_.size();
    if (carried > kCarryRoom) die("a frame is larger than the generator takes");
    std::copy(carry_.begin(), carry_.end(), room.begin());
    const Transfer in = read_some(socket_, {room.data() + carried, std::min(limit, kReadBytes)});
    if (in.closed) end("the broker closed a connection");
    if (in.closed || in.blocked) return false;
    pulled_ += in.bytes;
    const base::ByteView bytes(room.data(), carried + in.bytes);
    const std::size_t taken = session.on_bytes(bytes, timed ? now_ns() : 0);
    if (!session.error().empty()) end(session.error());
    carry_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(taken), bytes.end());
    return in.bytes == kReadBytes;
  }

  /// Writes once, if the session has something; true when the socket took all of it.
  bool push() {
    if (!writable_ || over()) return false;
    const base::ByteView bytes = session.next();
    if (bytes.empty()) return false;
    const Transfer out = write_some(socket_, bytes);
    if (out.closed) end("the broker closed a connection");
    if (out.closed) return false;
    session.advance(out.bytes);
    writable_ = out.bytes == bytes.size();
    return writable_;
  }

  void set_writable() { writable_ = true; }

  bool over() const noexcept { return !why_over_.empty(); }
  const std::string& why_over() const noexcept { return why_over_; }
  std::uint64_t pulled_bytes() const noexcept { return pulled_; }
  int socket() const noexcept { return socket_; }

  Session session;

 private:
  void end(const std::string& why) {
    if (why_over_.empty()) why_over_ = why;
  }

  int socket_;
  std::vector<std::byte> carry_;
  bool writable_ = true;
  std::uint64_t pulled_ = 0;
  std::string why_over_;
};

}  // namespace sluice::bench
