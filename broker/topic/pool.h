// pool.h: many small things of one kind, named by 32-bit positions.
//
// Grows by chunks and never moves what it holds: a reference stays valid until its position is
// given back. Positions given back are used again first.
//
// Owner:    one SubscriptionIndex, LevelTable or TopicRegistry.
// Thread:   the owner's.
// Tests:    tests/unit/broker/topic/pool_test.cc

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "libs/base/assert.h"

namespace sluice::topic {

template <typename T>
class Pool {
 public:
  /// A position whose thing is as new.
  std::uint32_t take() {
    ++in_use_;
    if (!free_.empty()) {
      const std::uint32_t position = free_.back();
      free_.pop_back();
      return position;
    }
    if (made_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<Chunk>());
    return made_++;
  }

  /// Requires: taken and not given back since.
  void give_back(std::uint32_t position) {
    ASSERT(in_use_ > 0);
    (*this)[position] = T{};
    free_.push_back(position);
    --in_use_;
  }

  T& operator[](std::uint32_t position) noexcept {
    DASSERT(position < made_);
    return (*chunks_[position / kChunk])[position % kChunk];
  }
  const T& operator[](std::uint32_t position) const noexcept {
    DASSERT(position < made_);
    return (*chunks_[position / kChunk])[position % kChunk];
  }

  std::size_t in_use() const noexcept { return in_use_; }
  /// Positions ever taken are below this; those given back hold a new T.
  std::uint32_t made() const noexcept { return made_; }
  std::size_t memory_bytes() const noexcept {
    return chunks_.size() * sizeof(Chunk) + chunks_.capacity() * sizeof(chunks_[0]) +
           free_.capacity() * sizeof(std::uint32_t);
  }

 private:
  static constexpr std::uint32_t kChunk = 256;
  using Chunk = std::array<T, kChunk>;

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<std::uint32_t> free_;
  std::uint32_t made_ = 0;
  std::size_t in_use_ = 0;
};

}  // namespace sluice::topic
