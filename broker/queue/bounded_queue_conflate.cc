// The part of BoundedQueue that keeps only the newest message of each topic, or topic and key.

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "broker/queue/bounded_queue.h"
#include "libs/base/assert.h"
#include "libs/wire/batch.h"

namespace sluice::queue {

using wire::GapReason;

namespace {

std::string identity_of(const model::Slice& slice, base::ByteView key) {
  // 0 is no topic's slot.
  const std::uint64_t topic =
      slice.topic ? (std::uint64_t{slice.topic.slot().value()} << 32) | slice.topic.generation()
                  : 0;
  std::string identity(sizeof topic + key.size(), '\0');
  std::memcpy(identity.data(), &topic, sizeof topic);
  if (!key.empty()) std::memcpy(identity.data() + sizeof topic, key.data(), key.size());
  return identity;
}

// One for each of its messages; without a key it is the topic's.
std::vector<std::string> identities_of(const model::Slice& slice) {
  std::vector<std::string> identities;
  identities.reserve(slice.count);
  std::vector<std::byte> storage;
  const base::Result<base::ByteView> all = wire::batch_records(slice.batch.view(), storage);
  if (!all) {
    // It cannot be decompressed, which its consumer will find as well: it counts by topic.
    identities.assign(slice.count, identity_of(slice, {}));
    return identities;
  }
  base::ByteView records = *all;
  for (std::uint32_t i = 0; i < slice.first; ++i) wire::take_record(records);
  for (std::uint32_t i = 0; i < slice.count; ++i) {
    identities.push_back(identity_of(slice, wire::take_record(records).key));
  }
  return identities;
}

}  // namespace

bool BoundedQueue::conflates_now() const noexcept {
  if (!ladder_.conflates()) return false;
  return rare_ == nullptr || next_sequence_ >= rare_->conflate_from;
}

// A run of messages that finds no room. It is queued, over the bounds for a moment, so that its own
// messages count among the newest; what is still too much goes on to the next step.
void BoundedQueue::push_conflating(Entry run, model::PublishToken token, Tally tally) {
  const base::MonotonicTime now = run.queued_at;
  if (has_waiting() || lagged(now)) {
    conflate();
    if (has_waiting()) move_in(now);
  }
  if (has_waiting() || lagged(now)) return push_run(std::move(run), token, tally);
  const std::uint64_t first = run.sequence;
  std::uint32_t settled = run.slice.count;
  append(std::move(run));
  conflate();
  std::vector<Entry> rest;
  const auto holds_some = [&] {
    return !entries_.empty() && entries_.back().sequence + entries_.back().slice.count > first;
  };
  while (holds_some() && !fits(0, 0)) {
    Entry last = entries_.erase(entries_.size() - 1);
    queued_ -= last.slice.count;
    held_bytes_ -= last.slice.records + kSliceOverhead;
    if (last.sequence < first) {
      append(split_front(last, static_cast<std::uint32_t>(first - last.sequence)));
    }
    settled -= last.slice.count;
    rest.push_back(std::move(last));
  }
  tally.result.accepted += settled;
  for (auto it = rest.rbegin(); it != rest.rend(); ++it) push_run(std::move(*it), token, tally);
}

// One walk over the queue, from the newest message on. Where that frees little it is not worth
// repeating for each push: it is done again when an eighth of what is queued has come since.
void BoundedQueue::conflate() {
  const bool by_key = ladder_.steps[0].by_key;
  const std::uint32_t before = queued_;
  std::unordered_set<std::string> seen;
  std::vector<Entry> kept;  // the newest first, as the next
  std::vector<Entry> lost;
  const auto sort_out = [&](Entry run, const std::string& identity) {
    (seen.insert(identity).second ? kept : lost).push_back(std::move(run));
  };
  while (!entries_.empty()) {
    Entry entry = entries_.erase(entries_.size() - 1);
    if (!by_key) {
      const std::string identity = identity_of(entry.slice, {});
      if (entry.slice.count > 1 && !seen.contains(identity)) {
        Entry older = split_front(entry, entry.slice.count - 1);
        sort_out(std::move(entry), identity);
        entry = std::move(older);
      }
      sort_out(std::move(entry), identity);
      continue;
    }
    const std::vector<std::string> identities = identities_of(entry.slice);
    std::vector<Entry> single;
    while (entry.slice.count > 1) single.push_back(split_front(entry, 1));
    single.push_back(std::move(entry));
    for (std::size_t i = single.size(); i-- > 0;) sort_out(std::move(single[i]), identities[i]);
  }
  queued_ = 0;
  held_bytes_ = 0;
  for (auto it = kept.rbegin(); it != kept.rend(); ++it) append(std::move(*it));
  for (auto it = lost.rbegin(); it != lost.rend(); ++it) lose(*it, GapReason::kConflated, false);
  const std::uint32_t freed = before - queued_;
  rare().conflate_from = freed >= before / 8 ? 0 : next_sequence_ + std::max(1U, queued_ / 8);
}

}  // namespace sluice::queue
