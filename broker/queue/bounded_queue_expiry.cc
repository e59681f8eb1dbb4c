// The part of BoundedQueue that takes out messages whose deadline has passed.
//
// A message expires at its own deadline or that of its publish, whichever comes first. next() never
// gives one whose deadline has passed; those further back are swept out on a grid of
// kExpiryGranularity, so that many different deadlines cost one walk over the entries. A long queue
// or spill rests in between, a point of the grid for each kSlicesPerSweep. Deadlines of single
// messages are read only once the earliest of their batch has passed.

#include <algorithm>
#include <utility>
#include <vector>

#include "broker/queue/bounded_queue.h"
#include "libs/base/assert.h"

namespace sluice::queue {

using base::MonotonicTime;
using wire::GapReason;

namespace {

constexpr std::uint64_t kSlicesPerSweep = 1000;

MonotonicTime grid_at_or_before(MonotonicTime time) {
  const auto ticks = time.time_since_epoch();
  auto rest = ticks % kExpiryGranularity;
  if (rest.count() < 0) rest += kExpiryGranularity;
  return time - rest;
}

MonotonicTime grid_at_or_after(MonotonicTime time) {
  if (time >= base::kNever - kExpiryGranularity) return base::kNever;
  return grid_at_or_before(time + kExpiryGranularity - base::Duration(1));
}

// A message's deadline on this shard's clock, by how far it is from the batch's earliest.
MonotonicTime to_monotonic(const model::Slice& slice, const wire::BatchHeader& header,
                           std::uint64_t deadline_ns) {
  if (deadline_ns == 0) return base::kNever;
  if (deadline_ns <= header.earliest_deadline_ns) return slice.earliest_deadline;
  const std::uint64_t later = deadline_ns - header.earliest_deadline_ns;
  const auto most = static_cast<std::uint64_t>(INT64_MAX / 2);
  const base::Duration duration(static_cast<std::int64_t>(std::min(later, most)));
  return slice.earliest_deadline >= base::kNever - duration ? base::kNever
                                                            : slice.earliest_deadline + duration;
}

// Calls `visit(deadline)` for each message until it says stop. False when the records of a
// compressed batch cannot be read: then only the publish's deadline is known.
template <typename Visit>
bool each_deadline(const model::Slice& slice, Visit visit) {
  const wire::BatchHeader header = wire::read_batch_header(slice.batch.view());
  std::vector<std::byte> storage;
  base::ByteView records;
  if (slice.compressed()) {
    const auto unpacked = wire::batch_records(slice.batch.view(), storage);
    if (!unpacked) return false;
    records = *unpacked;
    records = records.subspan(wire::skip_records(records.data(), slice.first));
  } else {
    records = slice.batch.view().subspan(slice.offset, slice.records);
  }
  for (std::uint32_t i = 0; i < slice.count; ++i) {
    if (!visit(to_monotonic(slice, header, wire::take_record(records).deadline_ns))) break;
  }
  return true;
}

}  // namespace

BoundedQueue::Entry BoundedQueue::make_entry(const model::Slice& slice, MonotonicTime now,
                                             MonotonicTime deadline) noexcept {
  Entry entry{slice, next_sequence_, now, deadline, std::min(deadline, slice.earliest_deadline)};
  next_sequence_ += slice.count;
  return entry;
}

void BoundedQueue::note_expiry(MonotonicTime expires) {
  if (expires == base::kNever) return;
  Rare& state = rare();
  state.sweep_at = std::min(state.sweep_at, std::max(grid_at_or_after(expires), state.rests_until));
}

// How many of the first messages are alike in whether they expire until then. Corrects `expires`
// when nothing has.
std::uint32_t BoundedQueue::leading_run(Entry& entry, MonotonicTime until, bool& gone) {
  const std::uint32_t count = entry.slice.count;
  gone = entry.deadline <= until;
  if (gone || entry.expires > until) return count;
  std::uint32_t run = 0;
  MonotonicTime earliest = entry.deadline;
  const bool known = each_deadline(entry.slice, [&](MonotonicTime deadline) {
    const bool expired = deadline <= until;
    if (run == 0) gone = expired;
    if (expired != gone) return false;
    ++run;
    earliest = std::min(earliest, deadline);
    return true;
  });
  if (!known) run = count;
  if (!gone && run == count) entry.expires = earliest;
  return run;
}

// A push of which some messages have expired already: the others are pushed in runs.
void BoundedQueue::push_late(Entry entry, model::PublishToken token, PushResult& result) {
  const MonotonicTime now = entry.queued_at;
  for (bool last = false; !last;) {
    bool gone = false;
    const std::uint32_t run = leading_run(entry, now, gone);
    last = run == entry.slice.count;
    Entry part = last ? std::move(entry) : split_front(entry, run);
    if (gone || result.disconnect) {
      refuse(part, gone ? GapReason::kExpired : GapReason::kDisconnected, result);
      continue;
    }
    if (part.expires <= now) leading_run(part, now, gone);
    take_in(std::move(part), token, result);
  }
}

// Takes expired messages off the front. How many of the front entry may be delivered now.
std::uint32_t BoundedQueue::skip_expired(MonotonicTime now) {
  while (!entries_.empty() && entries_.front().expires <= now) {
    bool gone = false;
    const std::uint32_t run = leading_run(entries_.front(), now, gone);
    if (!gone) return run == entries_.front().slice.count ? UINT32_MAX : run;
    drop_front(run, GapReason::kExpired);
    if (has_behind()) move_in(now);
  }
  return UINT32_MAX;
}

// One walk: what stays moves to a new ring, what goes is lost once all entries stand in their
// final place, so that its holes join. Of what is spilled only whole publishes can be judged.
void BoundedQueue::sweep(MonotonicTime now) {
  const MonotonicTime until = grid_at_or_before(now);
  std::vector<Entry> expired;
  MonotonicTime earliest = base::kNever;
  Ring<Entry> kept;
  const auto keep = [&](Entry&& entry) {
    earliest = std::min(earliest, entry.expires);
    kept.push_back(std::move(entry));
  };
  while (!entries_.empty()) {
    Entry entry = entries_.pop_front();
    if (entry.slice.count == 0) continue;  // dead
    held_bytes_ -= entry.slice.records + bookkeeping(entry.slice.count);
    queued_ -= entry.slice.count;
    for (bool last = false; !last;) {
      bool gone = false;
      const std::uint32_t run = leading_run(entry, until, gone);
      last = run == entry.slice.count;
      Entry part = last ? std::move(entry) : split_front(entry, run);
      if (gone) {
        expired.push_back(std::move(part));
        continue;
      }
      if (part.expires <= until) leading_run(part, until, gone);
      held_bytes_ += part.slice.records + bookkeeping(part.slice.count);
      queued_ += part.slice.count;
      keep(std::move(part));
    }
  }
  entries_ = std::move(kept);
  rare_->dead = 0;
  if (has_spilled()) {
    rare_->spill->take_if([until](const Entry& entry) { return entry.deadline <= until; },
                          [&](Entry entry) { expired.push_back(std::move(entry)); });
    for (std::uint32_t at = 0; at < rare_->spill->size(); ++at) {
      earliest = std::min(earliest, rare_->spill->at(at).deadline);
    }
  }
  const auto rests = static_cast<std::int64_t>(slices() / kSlicesPerSweep);
  rare_->rests_until = rests == 0 ? MonotonicTime::min() : until + rests * kExpiryGranularity;
  rare_->sweep_at = base::kNever;
  note_expiry(earliest);
  for (const Entry& entry : expired) lose(entry, GapReason::kExpired, false);
  tolerate_excess();  // a slice cut in two needs more bookkeeping
}

}  // namespace sluice::queue
