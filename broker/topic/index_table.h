// index_table.h: where in a pool is the thing with this key?
//
// An open-addressing table of 32-bit positions. It stores beside each the 32-bit hash of its key,
// so that a miss touches nothing but the table and growing asks nobody for a hash. Keys live where
// the position points to; the caller compares them.
//
// Owner:    one SubscriptionIndex, LevelTable or TopicRegistry.
// Thread:   the owner's.
// Units:    8 bytes per place; between 3/8 and 3/4 of the places are in use once it has grown.
// Tests:    tests/unit/broker/topic/index_table_test.cc

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "libs/base/assert.h"
#include "libs/base/bytes.h"

namespace sluice::topic {

/// Position of nothing.
inline constexpr std::uint32_t kNone = UINT32_MAX;

/// Multiplies to 128 bits and folds: every bit of both goes into every bit of the result.
inline std::uint64_t fold_multiply(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint32_t hash_number(std::uint64_t key, std::uint64_t seed) noexcept {
  return static_cast<std::uint32_t>(
      fold_multiply(key ^ seed ^ 0x9e3779b97f4a7c15U, 0xd6e8feb86659fd93U));
}

/// Names come from peers: with a seed that they do not know they cannot make keys collide.
inline std::uint32_t hash_text(std::string_view text, std::uint64_t seed) noexcept {
  const base::ByteView bytes = base::as_bytes(text);
  std::uint64_t hash = seed ^ (text.size() * 0x9e3779b97f4a7c15U);
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    hash = fold_multiply(hash ^ base::load<std::uint64_t>(&bytes[at]), 0xa0761d6478bd642fU);
  }
  std::uint64_t rest = 0;
  for (std::size_t i = at; i < bytes.size(); ++i) {
    rest = (rest << 8) | static_cast<std::uint64_t>(bytes[i]);
  }
  return hash_number(hash ^ rest, seed);
}

class IndexTable {
 public:
  /// The position under `hash` for which `is_it(position)` holds; kNone when there is none.
  template <typename Predicate>
  std::uint32_t find(std::uint32_t hash, const Predicate& is_it) const {
    if (size_ == 0) return kNone;
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      const Place& place = places_[at];
      if (place.position == kNone) return kNone;
      if (place.hash == hash && is_it(place.position)) return place.position;
    }
  }

  /// Requires: position is not kNone and its key is not in the table.
  void insert(std::uint32_t hash, std::uint32_t position) {
    DASSERT(position != kNone);
    if (4 * (size_ + 1) > 3 * places_.size()) grow();
    put(hash, position);
    ++size_;
  }

  /// Requires: it was inserted.
  void erase(std::uint32_t hash, std::uint32_t position) {
    ASSERT(size_ > 0);
    std::size_t hole = hash & mask();
    while (places_[hole].position != position) {
      ASSERT(places_[hole].position != kNone);
      hole = (hole + 1) & mask();
    }
    close_hole(hole);
    --size_;
  }

  std::size_t size() const noexcept { return size_; }
  std::size_t memory_bytes() const noexcept { return places_.capacity() * sizeof(Place); }

 private:
  struct Place {
    std::uint32_t hash = 0;
    std::uint32_t position = kNone;
  };

  std::size_t mask() const noexcept { return places_.size() - 1; }

  void put(std::uint32_t hash, std::uint32_t position) noexcept {
    std::size_t at = hash & mask();
    while (places_[at].position != kNone) at = (at + 1) & mask();
    places_[at] = {hash, position};
  }

  // Moves back what a probe would no longer find past the hole.
  void close_hole(std::size_t hole) noexcept {
    for (std::size_t at = (hole + 1) & mask(); places_[at].position != kNone;
         at = (at + 1) & mask()) {
      const std::size_t distance_from_home = (at - places_[at].hash) & mask();
      const std::size_t distance_from_hole = (at - hole) & mask();
      if (distance_from_home < distance_from_hole) continue;
      places_[hole] = places_[at];
      hole = at;
    }
    places_[hole] = {};
  }

  void grow() {
    std::vector<Place> old(places_.empty() ? 8 : places_.size() * 2);
    old.swap(places_);
    for (const Place& place : old) {
      if (place.position != kNone) put(place.hash, place.position);
    }
  }

  std::vector<Place> places_;
  std::size_t size_ = 0;
};

}  // namespace sluice::topic
