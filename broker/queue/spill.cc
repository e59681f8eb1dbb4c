#include "broker/queue/spill.h"

#include <algorithm>
#include <utility>

#include "broker/queue/queue_types.h"
#include "libs/base/assert.h"

namespace sluice::queue::detail {

using Fetch = port::SpillStore::Fetch;

std::uint64_t Spill::count_from(std::uint64_t sequence) const noexcept {
  std::uint64_t count = 0;
  for (std::uint32_t at = entries_.size(); at > 0; --at) {
    const Entry& entry = entries_[at - 1].entry;
    if (entry.end() <= sequence) break;
    count += entry.end() - std::max(entry.sequence, sequence);
  }
  return count;
}

// The batch of what is in the store cannot be compared; that of a publish is one.
bool Spill::joins(const Entry& entry) const noexcept {
  if (entries_.empty()) return false;
  const Entry& last = entries_.back().entry;
  return entry.slice.origin == last.slice.origin && entry.slice.origin != model::Origin{} &&
         goes_on(last, entry);
}

std::uint32_t Spill::count_that_fits(const Entry& entry) const noexcept {
  const std::uint64_t taken = bytes_ + (joins(entry) ? 0 : kSliceOverhead);
  return taken >= bytes_max_ ? 0 : entry.slice.count_within(bytes_max_ - taken);
}

bool Spill::push_back(Entry& entry, bool regardless) {
  const bool joined = joins(entry);
  const std::uint64_t bytes = entry.slice.records + (joined ? 0 : kSliceOverhead);
  if (joined) {
    Entry& last = entries_.back().entry;
    last.slice.count += entry.slice.count;
    last.slice.records += entry.slice.records;
    last.expires = std::min(last.expires, entry.expires);
  } else {
    const port::SpillStore::Handle handle = store_.put(entry.slice.batch);
    if (handle == port::SpillStore::kNone && !regardless) return false;
    entries_.push_back({entry, handle});
    if (handle != port::SpillStore::kNone) entries_.back().entry.slice.batch = {};
  }
  if (fits(0)) over_ = 0;
  if (!fits(bytes)) over_ += bytes;
  ASSERT(regardless || fits(bytes));
  messages_ += entry.slice.count;
  bytes_ += bytes;
  entry = {};
  return true;
}

Fetch Spill::fetch() {
  Spilled& front = entries_.front();
  if (front.handle == port::SpillStore::kNone) return Fetch::kReady;
  const Fetch found = store_.fetch(front.handle, tag_, front.entry.slice.batch);
  awaits_ = found == Fetch::kLater;
  if (!awaits_) front.handle = port::SpillStore::kNone;
  return found;
}

Entry Spill::pop_front() {
  awaits_ = false;
  return forget(entries_.pop_front());
}

Entry Spill::split_front(std::uint32_t messages) {
  Entry& front = entries_.front().entry;
  ASSERT(entries_.front().handle == port::SpillStore::kNone && messages < front.slice.count);
  Entry taken = detail::split_front(front, messages);
  messages_ -= messages;
  bytes_ -= taken.slice.records;
  return taken;
}

// Of what has left the entries: its share, and its place in the store.
Entry Spill::forget(Spilled spilled) {
  if (spilled.handle != port::SpillStore::kNone) store_.drop(spilled.handle);
  messages_ -= spilled.entry.slice.count;
  bytes_ -= spilled.entry.slice.records + kSliceOverhead;
  return std::move(spilled.entry);
}

void Spill::clear() noexcept {
  while (!entries_.empty()) forget(entries_.pop_front());
  entries_.clear();
  awaits_ = false;
}

void Spill::check_invariants() const {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  for (std::uint32_t at = 0; at < entries_.size(); ++at) {
    const Spilled& spilled = entries_[at];
    const bool stored = spilled.handle != port::SpillStore::kNone;
    ASSERT(stored == spilled.entry.slice.batch.empty());
    ASSERT(at == 0 || entries_[at - 1].entry.end() <= spilled.entry.sequence);
    messages += spilled.entry.slice.count;
    bytes += spilled.entry.slice.records + kSliceOverhead;
  }
  ASSERT(messages == messages_ && bytes == bytes_);
  ASSERT(bytes_ <= bytes_max_ + over_);
  ASSERT(!awaits_ || !entries_.empty());
}

}  // namespace sluice::queue::detail
