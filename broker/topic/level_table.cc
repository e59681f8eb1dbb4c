#include "broker/topic/level_table.h"

namespace sluice::topic {

// Text is compacted when more than half of it, and at least this much, is dead.
constexpr std::size_t kCompactBytesMin = 4096;

std::uint32_t LevelTable::retain(std::string_view level) {
  const std::uint32_t hash = hash_text(level, seed_);
  const std::uint32_t known = find(level, hash);
  if (known != kNone) {
    ++levels_[known].references;
    return known;
  }
  ASSERT(text_.size() + level.size() < UINT32_MAX);
  const std::uint32_t number = levels_.take();
  levels_[number] = {.references = 1,
                     .text_at = static_cast<std::uint32_t>(text_.size()),
                     .text_bytes = static_cast<std::uint32_t>(level.size())};
  text_.insert(text_.end(), level.begin(), level.end());
  table_.insert(hash, number);
  return number;
}

void LevelTable::release(std::uint32_t number) {
  Level& level = levels_[number];
  ASSERT(level.references > 0);
  if (--level.references > 0) return;
  table_.erase(hash_text(text(number), seed_), number);
  dead_bytes_ += level.text_bytes;
  levels_.give_back(number);
  if (dead_bytes_ >= kCompactBytesMin && 2 * dead_bytes_ > text_.size()) compact();
}

std::uint32_t LevelTable::find(std::string_view level) const noexcept {
  return find(level, hash_text(level, seed_));
}

std::uint32_t LevelTable::find(std::string_view level, std::uint32_t hash) const noexcept {
  return table_.find(hash, [&](std::uint32_t number) { return text(number) == level; });
}

std::string_view LevelTable::text(std::uint32_t number) const noexcept {
  const Level& level = levels_[number];
  return {text_.data() + level.text_at, level.text_bytes};
}

void LevelTable::compact() {
  std::vector<char> live;
  live.reserve(text_.size() - dead_bytes_);
  for (std::uint32_t number = 0; number < levels_.made(); ++number) {
    Level& level = levels_[number];
    if (level.references == 0) continue;
    const std::string_view old = text(number);
    level.text_at = static_cast<std::uint32_t>(live.size());
    live.insert(live.end(), old.begin(), old.end());
  }
  text_.swap(live);
  dead_bytes_ = 0;
}

std::size_t LevelTable::memory_bytes() const noexcept {
  return levels_.memory_bytes() + table_.memory_bytes() + text_.capacity();
}

void LevelTable::check_invariants() const {
  std::size_t bytes = 0;
  std::size_t live = 0;
  for (std::uint32_t number = 0; number < levels_.made(); ++number) {
    if (levels_[number].references == 0) continue;
    ++live;
    bytes += levels_[number].text_bytes;
    ASSERT(find(text(number)) == number);
  }
  ASSERT(live == levels_.in_use());
  ASSERT(live == table_.size());
  ASSERT(bytes + dead_bytes_ == text_.size());
}

}  // namespace sluice::topic
