// plain_holes.h: which gaps a consumer has still to be told, said as plainly as possible.
//
// Every lost message stands for itself; a hole is what has nothing left between.
//
// Owner:    one PlainQueue.
// Thread:   one.

#pragma once

#include <algorithm>
#include <vector>

#include "broker/queue/gap_list.h"
#include "libs/base/clock.h"

namespace sluice::queue::testing {

using wire::GapReason;

struct Message {
  std::uint64_t sequence = 0;
  std::uint64_t batch = 0;  // which batch, and its place there
  std::uint32_t index = 0;
  std::uint32_t bytes = 0;
  base::MonotonicTime queued_at;
  base::MonotonicTime expires = base::kNever;   // its own deadline, from a push on no later than:
  base::MonotonicTime deadline = base::kNever;  // that of its publish
  std::uint64_t origin = 0;
  int topic = 0;
  int key = 0;  // 0: none
};

class PlainHoles {
 public:
  /// `present(after, before)` says whether a message between the two is still held.
  template <typename Present>
  void add(const Message& message, GapReason reason, Present present) {
    Hole* before = nullptr;
    Hole* after = nullptr;
    for (Hole& hole : holes_) {
      if (place(hole) < message.sequence) {
        if (before == nullptr || place(hole) > place(*before)) before = &hole;
      } else if (after == nullptr || place(hole) < place(*after)) {
        after = &hole;
      }
    }
    Hole own{{message, reason}};
    if (after != nullptr && !present(message.sequence, place(*after))) {
      own.insert(own.end(), after->begin(), after->end());
      after->clear();
    }
    if (before != nullptr && !present(place(*before), message.sequence)) {
      before->insert(before->end(), own.begin(), own.end());
    } else {
      holes_.push_back(own);
    }
    std::erase_if(holes_, [](const Hole& hole) { return hole.empty(); });
  }

  template <typename Present>
  bool is_next(Present present) const {
    const auto hole = first();
    return hole != holes_.end() && !present(0, place(*hole));
  }

  template <typename Present>
  bool take(Gap& gap, Present present) {
    if (!is_next(present)) return false;
    Hole& hole = holes_[static_cast<std::size_t>(first() - holes_.begin())];
    GapReason reason = hole.front().reason;
    for (const Lost& lost : hole) reason = std::min(reason, lost.reason);
    gap = {.reason = reason, .first = UINT64_MAX, .last = 0, .count = 0, .bytes = 0};
    for (const Lost& lost : hole) {
      if (lost.reason != reason) continue;
      gap.first = std::min(gap.first, lost.message.sequence);
      gap.last = std::max(gap.last, lost.message.sequence);
      ++gap.count;
      gap.bytes += lost.message.bytes;
    }
    std::erase_if(hole, [&](const Lost& lost) { return lost.reason == reason; });
    std::erase_if(holes_, [](const Hole& each) { return each.empty(); });
    join_all(present);
    return true;
  }

  void clear() { holes_.clear(); }

 private:
  struct Lost {
    Message message;
    GapReason reason;
  };
  using Hole = std::vector<Lost>;

  template <typename Present>
  void join_all(Present present) {
    std::sort(holes_.begin(), holes_.end(),
              [](const Hole& a, const Hole& b) { return place(a) < place(b); });
    for (std::size_t i = 1; i < holes_.size();) {
      Hole& before = holes_[i - 1];
      if (present(place(before), place(holes_[i]))) {
        ++i;
        continue;
      }
      before.insert(before.end(), holes_[i].begin(), holes_[i].end());
      holes_.erase(holes_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  static std::uint64_t place(const Hole& hole) {
    std::uint64_t lowest = UINT64_MAX;
    for (const Lost& lost : hole) lowest = std::min(lowest, lost.message.sequence);
    return lowest;
  }
  std::vector<Hole>::const_iterator first() const {
    return std::min_element(holes_.begin(), holes_.end(),
                            [](const Hole& a, const Hole& b) { return place(a) < place(b); });
  }

  std::vector<Hole> holes_;
};

}  // namespace sluice::queue::testing
