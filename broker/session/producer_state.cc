#include "broker/session/producer_state.h"

#include <algorithm>

#include "libs/base/assert.h"

namespace sluice::session {

ProducerState::Verdict ProducerState::check(std::uint64_t first,
                                            std::uint64_t count) const noexcept {
  const std::uint64_t end = first + count;
  if (first >= next_) return Verdict::kNew;
  if (first < known_from_) return Verdict::kForgotten;
  if (end > next_) return Verdict::kMixed;
  for (const Range& range : open_) {
    if (range.end <= first) continue;
    if (range.first >= end) break;
    return range.first <= first && end <= range.end ? Verdict::kNew : Verdict::kMixed;
  }
  return Verdict::kDuplicate;
}

void ProducerState::take(std::uint64_t first, std::uint64_t count) {
  ASSERT(count > 0 && check(first, count) == Verdict::kNew);
  const std::uint64_t end = first + count;
  if (first >= next_) {
    const Range skipped{next_, first};
    next_ = end;
    if (skipped.first < skipped.end) open(skipped);
    return;
  }
  const auto it = std::find_if(open_.begin(), open_.end(), [first](const Range& range) {
    return range.first <= first && first < range.end;
  });
  ASSERT(it != open_.end() && end <= it->end);
  const Range rest{end, it->end};
  it->end = first;
  if (it->first == it->end) open_.erase(it);
  if (rest.first < rest.end) open(rest);
}

void ProducerState::give_back(std::uint64_t first, std::uint64_t count) {
  if (first < known_from_) return;
  ASSERT(count > 0 && check(first, count) == Verdict::kDuplicate);
  open({first, first + count});
}

void ProducerState::open(Range range) {
  auto at = std::find_if(open_.begin(), open_.end(),
                         [&](const Range& other) { return other.first > range.first; });
  at = open_.insert(at, range);
  const auto next = at + 1;
  if (next != open_.end() && at->end == next->first) {
    at->end = next->end;
    open_.erase(next);
  }
  if (at != open_.begin() && (at - 1)->end == at->first) {
    (at - 1)->end = at->end;
    open_.erase(at);
  }
  if (open_.back().end == next_) {  // nothing above it was taken
    next_ = open_.back().first;
    open_.pop_back();
  }
  if (open_.size() <= kOpenMax) return;
  known_from_ = open_.front().end;
  open_.erase(open_.begin());
}

void ProducerState::check_invariants() const {
  ASSERT(open_.size() <= kOpenMax && known_from_ <= next_);
  std::uint64_t end = known_from_;
  for (const Range& range : open_) {
    ASSERT(range.first < range.end && range.end < next_);
    ASSERT(range.first > end || (&range == open_.data() && range.first >= end));
    end = range.end;
  }
}

}  // namespace sluice::session
