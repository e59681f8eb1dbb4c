#include "broker/queue/gap_list.h"

#include <algorithm>
#include <array>

#include "broker/queue/ledger.h"

namespace sluice::queue {

std::optional<std::uint64_t> GapList::place_before(std::uint64_t sequence) const noexcept {
  const std::uint32_t at = first_after(sequence);
  if (at == 0) return std::nullopt;
  return records_[at - 1].hole;
}

std::optional<std::uint64_t> GapList::place_after(std::uint64_t sequence) const noexcept {
  const std::uint32_t at = first_after(sequence);
  if (at == records_.size()) return std::nullopt;
  return records_[at].hole;
}

void GapList::add(const Gap& lost, bool joins_before, bool joins_after) {
  ASSERT(lost.count > 0 && lost.last - lost.first + 1 >= lost.count);
  const std::optional<std::uint64_t> before = place_before(lost.first);
  const std::optional<std::uint64_t> after = place_after(lost.first);
  ASSERT((!joins_before || before) && (!joins_after || after));
  const std::uint64_t hole = joins_before ? *before : lost.first;
  add_to(hole, lost);
  if (joins_after) join_next(hole);
}

void GapList::join_next(std::uint64_t hole) {
  std::uint32_t at = first_after(hole);
  ASSERT(at < records_.size());
  const std::uint64_t next = records_[at].hole;
  while (at < records_.size() && records_[at].hole == next) {
    add_to(hole, records_.erase(at).gap);
    at = first_after(hole);
  }
}

// The last hole is looked at first: nearly every loss belongs to it or to the first.
std::uint32_t GapList::first_after(std::uint64_t sequence) const noexcept {
  if (records_.empty() || records_.back().hole <= sequence) return records_.size();
  std::uint32_t low = 0;
  std::uint32_t high = records_.size();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (records_[middle].hole <= sequence) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void GapList::add_to(std::uint64_t hole, const Gap& gap) {
  std::uint32_t at = first_after(hole);
  while (at > 0 && records_[at - 1].hole == hole && records_[at - 1].gap.reason >= gap.reason) --at;
  if (at < records_.size() && records_[at].hole == hole && records_[at].gap.reason == gap.reason) {
    Gap& known = records_[at].gap;
    known.first = std::min(known.first, gap.first);
    known.last = std::max(known.last, gap.last);
    known.count += gap.count;
    known.bytes += gap.bytes;
    return;
  }
  records_.insert(at, Record{hole, gap});
}

GapList::Taken GapList::pop_front() {
  const Record told = records_.pop_front();
  std::array<Gap, kGapReasons> rest;
  std::size_t size = 0;
  std::uint64_t place = UINT64_MAX;
  while (!records_.empty() && records_.front().hole == told.hole) {
    ASSERT(size < rest.size());
    rest[size] = records_.pop_front().gap;
    place = std::min(place, rest[size].first);
    ++size;
  }
  for (std::size_t at = 0; at < size; ++at) add_to(place, rest[at]);
  return {told.gap, size > 0 ? place : 0};
}

std::uint64_t GapList::untold() const noexcept {
  std::uint64_t sum = 0;
  for (std::uint32_t at = 0; at < records_.size(); ++at) sum += records_[at].gap.count;
  return sum;
}

void GapList::check_invariants() const {
  for (std::uint32_t at = 0; at < records_.size(); ++at) {
    const Record& record = records_[at];
    ASSERT(record.gap.first >= record.hole && record.gap.last >= record.gap.first);
    ASSERT(record.gap.count > 0);
    ASSERT(record.gap.count <= record.gap.last - record.gap.first + 1);
    if (at == 0) continue;
    const Record& before = records_[at - 1];
    ASSERT(before.hole < record.hole ||
           (before.hole == record.hole && before.gap.reason < record.gap.reason));
  }
}

}  // namespace sluice::queue
