// test_link.h: a socket without a network, as slow as a test wants.
//
// What a shard writes is copied at once, so that a slice whose bytes changed later would show. What
// the peer has room for is taken at once; the rest is unsent until take() or room is given.
//
// Owner:    TestClient; the shard borrows it.
// Thread:   the test's.
// Units:    bytes.

#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "broker/port/link.h"
#include "libs/base/assert.h"

namespace sluice::testing {

class TestLink final : public port::Link {
 public:
  static constexpr std::size_t kNoEnd = std::numeric_limits<std::size_t>::max();

  void write(std::span<const base::ByteView> pieces, std::vector<base::SlabRef>& keep_alive,
             base::ByteView transient) override {
    ASSERT(!closed_);
    (void)transient;
    for (const base::ByteView piece : pieces) {
      written_.insert(written_.end(), piece.begin(), piece.end());
    }
    keep_alive.clear();
    ++writes_;
    take();
  }
  std::size_t unsent_bytes() const override { return written_.size() - taken_; }
  void set_reading(bool on) override { reading_ = on; }
  void close() override {
    ASSERT(!closed_);
    closed_ = true;
  }

  /// From now on the peer takes `bytes` more and then stops.
  void set_room(std::size_t bytes) {
    room_ = bytes;
    take();
  }
  /// True once after unsent_bytes() has fallen to 0: the shell then calls writable().
  bool drained() {
    if (!owes_writable_ || unsent_bytes() != 0 || closed_) return false;
    owes_writable_ = false;
    return true;
  }
  /// What the peer has received since the last call.
  std::vector<std::byte> received() {
    const auto end = written_.begin() + static_cast<std::ptrdiff_t>(taken_);
    std::vector<std::byte> bytes(written_.begin(), end);
    written_.erase(written_.begin(), end);
    taken_ = 0;
    return bytes;
  }

  bool reading() const { return reading_; }
  bool closed() const { return closed_; }
  std::uint64_t writes() const { return writes_; }

 private:
  void take() {
    const std::size_t bytes = std::min(room_, unsent_bytes());
    taken_ += bytes;
    if (room_ != kNoEnd) room_ -= bytes;
    if (unsent_bytes() != 0) owes_writable_ = true;
  }

  std::vector<std::byte> written_;  // not yet received()
  std::size_t taken_ = 0;           // of written_
  std::size_t room_ = kNoEnd;
  std::uint64_t writes_ = 0;
  bool owes_writable_ = false;
  bool reading_ = true;
  bool closed_ = false;
};

}  // namespace sluice::testing
