// The part of BoundedQueue that drops messages and tells where they are missing.

#include <algorithm>
#include <utility>

#include "broker/queue/bounded_queue.h"
#include "libs/base/assert.h"

namespace sluice::queue {

using wire::GapReason;

namespace {

// Of entries by rising sequence, the first that has a message behind `after`.
template <typename EntryAt>
std::uint32_t first_behind(std::uint32_t size, EntryAt entry_at, std::uint64_t after) {
  std::uint32_t low = 0;
  std::uint32_t high = size;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (entry_at(middle).end() > after + 1) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace

// Older messages give way to newer ones as if those came one by one: if the new ones alone are too
// many, all older ones and the first of the new ones go.
void BoundedQueue::displace(Entry entry, Tally tally) {
  if (conflates_) return conflate_displacing(&entry, tally);
  if (spills()) return displace_into_spill(&entry, entry.queued_at, tally);
  const std::uint32_t lost = count_without_place(entry.slice);
  if (lost > 0) drop_all(tally);
  if (lost == entry.slice.count) {
    return refuse(entry, GapReason::kDroppedOldest, tally.result);
  }
  if (lost > 0) refuse(split_front(entry, lost), GapReason::kDroppedOldest, tally.result);
  make_room(entry, tally);
  tally.result.accepted += entry.slice.count;
  append(std::move(entry));
}

// How many of its first messages would not fit even if nothing else were queued.
std::uint32_t BoundedQueue::count_without_place(const model::Slice& slice) const {
  const std::uint64_t bytes = bytes_max();
  if (bytes <= kSliceOverhead) return slice.count;
  const std::uint64_t messages = messages_max();
  const std::uint64_t over = slice.count > messages ? slice.count - messages : 0;
  const std::uint64_t room = bytes - kSliceOverhead;
  const std::uint64_t over_bytes =
      slice.records > room ? slice.count_within(slice.records - room - 1) + std::uint64_t{1} : 0;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(slice.count, std::max(over, over_bytes)));
}

void BoundedQueue::make_room(const Entry& entry, Tally tally) {
  while (true) {
    const std::uint64_t messages = queued_ + std::uint64_t{entry.slice.count};
    const std::uint64_t bytes = held_bytes_ + entry.slice.records + overhead(entry);
    if (messages <= messages_max() && bytes <= bytes_max()) return;
    ASSERT(!entries_.empty());
    const model::Slice& front = entries_.front().slice;
    std::uint64_t excess = messages > messages_max() ? messages - messages_max() : 0;
    if (bytes > bytes_max()) {
      const std::uint64_t excess_bytes = bytes - bytes_max();
      excess = std::max(excess, front.count_within(excess_bytes - 1) + std::uint64_t{1});
    }
    displace_front(static_cast<std::uint32_t>(std::min<std::uint64_t>(excess, front.count)), tally);
  }
}

void BoundedQueue::drop_all(Tally tally) {
  while (!entries_.empty()) displace_front(entries_.front().slice.count, tally);
}

void BoundedQueue::displace_front(std::uint32_t messages, Tally tally) {
  const std::uint64_t end = oldest()->sequence + messages;
  const auto own = static_cast<std::uint32_t>(
      end > tally.first_sequence ? std::min<std::uint64_t>(messages, end - tally.first_sequence)
                                 : 0);
  drop_oldest(messages, GapReason::kDroppedOldest, own != 0);
  tally.result.displaced += messages - own;
  if (own == 0) return;
  tally.result.accepted -= own;
  tally.result.dropped += own;
  tally.result.drop_reason = GapReason::kDroppedOldest;
}

// Requires: messages <= those of the front entry.
void BoundedQueue::drop_front(std::uint32_t messages, GapReason reason, bool in_receipt) {
  Entry lost;
  if (messages == entries_.front().slice.count) {
    lost = entries_.pop_front();
    held_bytes_ -= bookkeeping(messages);
    if (rare_ != nullptr && rare_->dead > 0) trim_dead();
  } else {
    lost = split_front(entries_.front(), messages);
    if (conflates_) held_bytes_ -= bookkeeping(messages);
  }
  held_bytes_ -= lost.slice.records;
  queued_ -= messages;
  lose(lost, reason, in_receipt);
}

// Requires: it is neither among the entries nor waiting any more.
void BoundedQueue::lose(const Entry& entry, GapReason reason, bool in_receipt) {
  const std::uint32_t count = entry.slice.count;
  rare().dropped[index_of(reason)] += count;
  rare_->dropped_total += count;
  note_loss(entry, reason, in_receipt);
  add_gap({.reason = reason,
           .first = entry.sequence,
           .last = entry.sequence + count - 1,
           .count = count,
           .bytes = entry.slice.records});
}

void BoundedQueue::note_loss(const Entry& entry, GapReason reason, bool in_receipt) {
  std::vector<Loss>& losses = rare_->losses;
  const model::Slice& slice = entry.slice;
  const bool by_origin = reason == GapReason::kExpired || reason == GapReason::kCancelled;
  const auto joins = [&](const Loss& loss) {
    return loss.reason == reason && loss.in_receipt == in_receipt && loss.topic == slice.topic &&
           loss.origin.connection == slice.origin.connection &&
           loss.origin.shard == slice.origin.shard && (!by_origin || loss.origin == slice.origin);
  };
  auto at = std::find_if(losses.rbegin(), losses.rend(), joins);
  if (at == losses.rend() && losses.size() >= kMaxLosses) {
    at = std::find_if(losses.rbegin(), losses.rend() - kMaxLosses,
                      [&](const Loss& loss) { return loss.reason == reason; });
    if (at == losses.rend() - kMaxLosses) at = losses.rend();
  }
  const std::uint64_t last = entry.sequence + slice.count - 1;
  if (at == losses.rend()) {
    const bool apart = losses.size() < kMaxLosses;
    losses.push_back({reason, apart && in_receipt, apart ? slice.topic : model::TopicRef(),
                      apart ? slice.origin : model::Origin(), entry.sequence, last, slice.count,
                      slice.records});
    return;
  }
  if (at->topic) at->origin = slice.origin;
  at->first = std::min(at->first, entry.sequence);
  at->last = std::max(at->last, last);
  at->count += slice.count;
  at->bytes += slice.records;
}

// It becomes part of the holes next to it where nothing queued stands between.
void BoundedQueue::add_gap(const Gap& gap) {
  Rare& state = rare();
  const auto before = state.gaps.place_before(gap.first);
  const auto after = state.gaps.place_after(gap.first);
  state.gaps.add(gap, before && !holds_between(*before, gap.first),
                 after && !holds_between(gap.first, *after));
}

// What is left of its hole may stand further back now, and next to others.
Gap BoundedQueue::take_gap() {
  GapList& gaps = rare_->gaps;
  const auto [gap, rest] = gaps.pop_front();
  if (rest == 0) return gap;
  const auto before = gaps.place_before(rest - 1);
  const auto after = gaps.place_after(rest);
  if (after && !holds_between(rest, *after)) gaps.join_next(rest);
  if (before && !holds_between(*before, rest)) gaps.join_next(*before);
  return gap;
}

void BoundedQueue::put_back(const Gap& gap) {
  ASSERT(gap.last < next_sequence_);
  add_gap(gap);
}

bool BoundedQueue::holds_between(std::uint64_t after, std::uint64_t before) noexcept {
  const auto begins = [after](const Entry& entry) { return std::max(entry.sequence, after + 1); };
  const auto queued = [this](std::uint32_t at) -> const Entry& { return entries_[at]; };
  std::uint32_t at = first_behind(entries_.size(), queued, after);
  if (rare_->dead > 0) at = live_from(at);
  if (at < entries_.size()) return begins(entries_[at]) < before;
  if (has_spilled()) {
    const detail::Spill& spill = *rare_->spill;
    const auto spilled = [&](std::uint32_t i) -> const Entry& { return spill.at(i); };
    at = first_behind(spill.size(), spilled, after);
    if (at < spill.size()) return begins(spill.at(at)) < before;
  }
  const Ring<Waiting>& ring = rare_->waiting;
  const auto waiting = [&](std::uint32_t i) -> const Entry& { return ring[i].entry; };
  at = first_behind(ring.size(), waiting, after);
  return at < ring.size() && begins(ring[at].entry) < before;
}

}  // namespace sluice::queue
