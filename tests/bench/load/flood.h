// flood.h: which bytes of a prebuilt block are written next?
//
// A block is a whole number of units of the same size (a message, or a frame of messages), written
// round and round. A socket takes any number of bytes, so a unit may be written in parts.
//
// Owner:    one publisher.
// Thread:   owner thread only.
// Tests:    tests/unit/tests/bench/load/flood_test.cc

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "libs/base/bytes.h"

namespace sluice::bench {

class Flood {
 public:
  Flood() = default;
  /// Requires: block.size() a multiple of unit_bytes, not empty.
  Flood(std::vector<std::byte> block, std::size_t unit_bytes)
      : block_(std::move(block)), unit_bytes_(unit_bytes) {}

  /// True when the last unit begun has been written whole.
  bool at_boundary() const noexcept { return block_.empty() || at_ % unit_bytes_ == 0; }

  /// What is left of a unit begun, then at most `units` new ones, up to the block's end.
  base::ByteView view(std::size_t units) const noexcept {
    const std::size_t end = std::min(first_new() + units * unit_bytes_, block_.size());
    return base::ByteView(block_).subspan(at_, end - at_);
  }

  /// Units of the next view(units) that are not begun yet.
  std::size_t new_units(std::size_t units) const noexcept {
    return std::min(units, (block_.size() - first_new()) / unit_bytes_);
  }
  /// The i-th of them.
  std::byte* new_unit(std::size_t i) noexcept {
    return block_.data() + first_new() + i * unit_bytes_;
  }

  struct Progress {
    std::size_t begun = 0;
    std::size_t completed = 0;
  };
  /// `bytes` of the last view have been written.
  Progress advance(std::size_t bytes) noexcept {
    const std::size_t end = at_ + bytes;
    const Progress progress{.begun = round_up(end) - round_up(at_),
                            .completed = end / unit_bytes_ - at_ / unit_bytes_};
    at_ = end == block_.size() ? 0 : end;
    return progress;
  }

 private:
  std::size_t round_up(std::size_t at) const noexcept {
    return (at + unit_bytes_ - 1) / unit_bytes_;
  }
  std::size_t first_new() const noexcept { return round_up(at_) * unit_bytes_; }

  std::vector<std::byte> block_;
  std::size_t unit_bytes_ = 1;
  std::size_t at_ = 0;
};

/// A block of `unit` repeated, about `bytes` long.
inline std::vector<std::byte> repeat(base::ByteView unit, std::size_t bytes) {
  std::vector<std::byte> block;
  const std::size_t times = std::max<std::size_t>(1, bytes / unit.size());
  block.reserve(times * unit.size());
  for (std::size_t i = 0; i < times; ++i) block.insert(block.end(), unit.begin(), unit.end());
  return block;
}

}  // namespace sluice::bench
