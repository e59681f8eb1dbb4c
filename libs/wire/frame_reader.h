// frame_reader.h: from bytes that arrive in pieces to whole frames, without copying them.
//
//   MutableByteView room = reader.prepare();      // read from the socket into this
//   reader.commit(bytes_read);
//   while (auto frame = reader.next()) { ... }    // Result<optional<Frame>>
//
// Bytes are read into a slab, and each frame is a view that shares it. A frame that straddles the
// end of a slab is moved to the next one, once; a frame larger than a slab gets a block of its own
// size, which grows as its bytes arrive, so that a peer that only announces much costs little. When
// nothing is left over, the reader lets go of its slab and the next connection reads on behind.
//
// Owner:    one connection. Borrows the SlabPool and the shared SlabCursor of its thread.
// Thread:   owner thread only; the frames' bytes may travel.
// Limits:   a body over max_body (set_max_body) is refused before room is made for it.
// Errors:   those of read_header; after an error the reader refuses to go on.
// Source:   docs/decisions/0003-receive-slabs.md
// Tests:    tests/unit/libs/wire/frame_reader_test.cc, tests/fuzz/fuzz_frame.cc

#pragma once

#include <optional>

#include "libs/base/slab.h"
#include "libs/wire/frame.h"

namespace sluice::wire {

struct Frame {
  FrameHeader header{};
  base::SharedBytes body{};
};

/// The slab that all idle readers of a thread read into, and how far it is filled.
class SlabCursor {
 public:
  /// Requires: `pool` outlives the cursor. `min_room`: the smallest piece worth reading into.
  SlabCursor(base::SlabPool& pool, std::size_t min_room) noexcept
      : pool_(pool), min_room_(min_room) {}
  base::SlabPool& pool() noexcept { return pool_; }

 private:
  friend class FrameReader;
  /// Room behind what is filled, at least `wanted` and min_room; of a new slab when it must be.
  base::MutableByteView room(std::size_t wanted);

  base::SlabPool& pool_;
  std::size_t min_room_;
  base::SlabRef slab_;
  std::uint32_t filled_ = 0;
};

class FrameReader {
 public:
  FrameReader(SlabCursor& cursor, std::uint32_t max_body) noexcept
      : cursor_(cursor), max_body_(max_body) {}

  /// Room to read into, never empty; valid until the next call on any reader of this thread.
  base::MutableByteView prepare();
  /// `bytes` of the last prepare() were filled.
  void commit(std::size_t bytes);
  /// The next whole frame; nothing when more bytes are needed first.
  base::Result<std::optional<Frame>> next();
  /// To be called when next() gave nothing and reading pauses: gives the slab back if it can.
  void settle();

  void set_max_body(std::uint32_t max_body) noexcept { max_body_ = max_body; }
  /// Bytes received that are not yet a whole frame.
  std::size_t buffered() const noexcept { return end_ - begin_; }

 private:
  /// Who may write behind end_.
  enum class Tail : std::uint8_t {
    kShared,  // whoever reads next, as long as the slab is the cursor's; then nobody
    kKept,    // this reader: settle() took the slab from the cursor
    kBlock,   // this reader: the slab is a block of its own, of no pool
  };

  /// A partial frame of at most this size is moved out of the shared slab by settle().
  static constexpr std::size_t kSmallPartialBytes = 4096;

  void make_room();                          // ensures the partial frame can go on where it stands
  std::size_t frame_bytes_wanted() const;    // of the partial frame, as far as known
  bool is_front_of_cursor() const noexcept;  // nobody has read on behind [begin_, end_)
  void adopt_block(base::SlabRef block) noexcept;  // it holds the same bytes, at its front
  void release() noexcept;

  SlabCursor& cursor_;
  std::uint32_t max_body_;
  base::ErrorCode error_ = base::ErrorCode::kNone;
  base::SlabRef slab_;  // holds [begin_, end_); empty when nothing is buffered
  std::uint32_t begin_ = 0;
  std::uint32_t end_ = 0;
  bool reading_shared_ = false;  // the last prepare() gave room of the cursor's slab
  Tail tail_ = Tail::kShared;
};

}  // namespace sluice::wire
