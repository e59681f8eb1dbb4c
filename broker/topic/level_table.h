// level_table.h: which number stands for this level of a filter?
//
// Each distinct text is kept once and counted. A level of a topic that no filter names has no
// number, which ends that branch of a match at once.
//
// Owner:    one SubscriptionIndex.
// Thread:   the owner's.
// Units:    about 26 bytes per distinct level, and its text.
// Limits:   4 GiB of text; levels are at most 255 bytes (libs/wire/topic_name.h).
// Tests:    tests/unit/broker/topic/level_table_test.cc

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "broker/topic/index_table.h"
#include "broker/topic/pool.h"

namespace sluice::topic {

class LevelTable {
 public:
  explicit LevelTable(std::uint64_t hash_seed) : seed_(hash_seed) {}

  /// The number of `level`, made if need be, with one more reference.
  std::uint32_t retain(std::string_view level);
  /// Requires: a reference of the caller's own. The last one frees the number.
  void release(std::uint32_t number);
  /// The number of `level`, or kNone. Adds no reference.
  std::uint32_t find(std::string_view level) const noexcept;

  std::string_view text(std::uint32_t number) const noexcept;
  std::size_t size() const noexcept { return table_.size(); }
  std::size_t memory_bytes() const noexcept;
  void check_invariants() const;

 private:
  struct Level {
    std::uint32_t references = 0;
    std::uint32_t text_at = 0;
    std::uint32_t text_bytes = 0;
  };

  std::uint32_t find(std::string_view level, std::uint32_t hash) const noexcept;
  void compact();

  std::uint64_t seed_;
  Pool<Level> levels_;
  IndexTable table_;
  std::vector<char> text_;
  std::size_t dead_bytes_ = 0;  // in text_, of levels that are gone
};

}  // namespace sluice::topic
