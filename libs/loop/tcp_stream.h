// tcp_stream.h: how do bytes get in and out of one connection?
//
// In: the handler lends room for each read, so that bytes land where they will be used. Out: a
// write tries the kernel at once and as a whole; only what the kernel refuses is remembered, as
// descriptors of buffers and the references that keep them alive; it is copied only where it is
// little and keeps much alive. The bound on what is remembered is the caller's: it stops at the
// high watermark.
//
// Owner:    the loop's thread; borrows the loop and the handler.
// Thread:   the loop's owner thread. (asserted)
// Units:    bytes.
// Limits:   kBuffersPerCall buffers go to the kernel in one call; more take more calls.
// Errors:   kConnectionLost with the system's text, from write() or once to on_error; afterwards
//           the stream only waits to be destroyed.
// Order:    construct, start_reading(); destroying it closes the connection at any moment, also
//           inside its own callbacks, and no callback comes after.
// Tests:    tests/unit/libs/loop/tcp_stream_test.cc

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "libs/base/bytes.h"
#include "libs/base/clock.h"
#include "libs/base/result.h"
#include "libs/base/slab.h"
#include "libs/loop/address.h"
#include "libs/loop/loop.h"
#include "libs/loop/owned_fd.h"

namespace sluice::loop {

/// One piece of a gathered write.
struct Buffer {
  const std::byte* data = nullptr;
  std::size_t size = 0;
};

/// What a stream tells its owner.
class StreamHandler {
 public:
  /// Room for the next read, not empty. Used before any other callback of this loop runs.
  virtual base::MutableByteView on_alloc() = 0;
  /// The first `bytes` of the room were filled; at least 1.
  virtual void on_read(std::size_t bytes) = 0;
  /// The peer sends no more; writing still works.
  virtual void on_end() = 0;
  /// The connection is broken; called at most once.
  virtual void on_error(const base::Error& error) = 0;
  /// What a write had left over is gone: pending_bytes() is 0 again.
  virtual void on_drained() {}
  /// pending_bytes() rose to the high watermark; it is back at or under the low one.
  virtual void on_high_watermark() {}
  virtual void on_low_watermark() {}

 protected:
  ~StreamHandler() = default;
};

struct StreamOptions {
  bool no_delay = true;
  base::Duration keep_alive = std::chrono::seconds(60);  ///< idle time before probes; 0: none
  int send_buffer_bytes = 0;                             ///< 0: the system's choice
  int receive_buffer_bytes = 0;
  base::SlabAccount* account = nullptr;  ///< where copies count; outlives the stream
};

class TcpStream {
 public:
  static constexpr std::size_t kBuffersPerCall = 1024;  // IOV_MAX of Linux
  /// What is left over is copied when it keeps more than so many times its bytes alive. Of a block
  /// that others hold as well its share counts, so that ten thousand do not copy what they share.
  static constexpr std::size_t kPinnedPerCopied = 4;
  static constexpr std::uint32_t kSharersCounted = 16;

  /// Takes over a connected socket. An option that the system refuses is left as it was.
  TcpStream(Loop& loop, OwnedFd socket, StreamHandler& handler, const StreamOptions& options = {});
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;
  /// Closes. What has not left yet is discarded.
  ~TcpStream();

  /// Reads until paused. Both may be called at any time, also twice.
  void start_reading();
  void pause_reading() noexcept;
  bool is_reading() const noexcept;

  /// Sends `buffers` in order, after everything written before. When all of it went out at once
  /// nothing is kept and `keep_alive` is as it was. Otherwise the references move out of
  /// `keep_alive`, which is left empty, and are held until the rest has left; every buffer must
  /// then live in them, or be static, or lie within `transient`, whose bytes are copied as far as
  /// they are left over. The references stand in the order of the buffers that they keep.
  /// on_drained() follows.
  base::Status write(std::span<const Buffer> buffers, std::vector<base::SlabRef>& keep_alive,
                     base::ByteView transient = {});
  /// The same for bytes that are copied if they cannot leave at once.
  base::Status write_copy(base::ByteView bytes);

  /// What the kernel has not taken yet.
  std::size_t pending_bytes() const noexcept;
  /// `low` must not exceed `high`; before the first call there are no watermarks.
  void set_watermarks(std::size_t high, std::size_t low) noexcept;

  /// Tells the peer that nothing more comes, after what is pending. No write may follow.
  void shutdown_write();

  HostPort local_address() const;
  HostPort peer_address() const;

 private:
  struct Impl;
  Impl* impl_;  // deletes itself once libuv has let go of it
};

}  // namespace sluice::loop
