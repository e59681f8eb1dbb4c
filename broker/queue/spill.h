// spill.h: which messages of a queue are in the spill store, and in which order?
//
// Their numbers, topics, origins and deadlines stay here, so that they can be counted, withdrawn
// and told as missing unread; only the batches are in the store. What a publish spills in several
// pieces is one entry with one handle.
//
// Owner:    one BoundedQueue, between whose entries and whose waiting pushes they stand.
// Thread:   the owner's.
// Units:    bytes are record bytes plus kSliceOverhead for every entry.
// Limits:   bytes_max, but for what push_back() is told to take regardless; that ends when it fits.
// Tests:    tests/unit/broker/queue/bounded_queue_spill_test.cc, bounded_queue_model_test.cc

#pragma once

#include <cstdint>
#include <utility>

#include "broker/port/spill_store.h"
#include "broker/queue/entry.h"
#include "broker/queue/ring.h"

namespace sluice::queue::detail {

class Spill {
 public:
  /// `tag` names the queue to the store. Requires: the store outlives it.
  Spill(port::SpillStore& store, std::uint64_t tag, std::uint64_t bytes_max)
      : store_(store), tag_(tag), bytes_max_(bytes_max) {}
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;
  ~Spill() { clear(); }

  bool empty() const noexcept { return entries_.empty(); }
  std::uint32_t size() const noexcept { return entries_.size(); }
  std::uint64_t messages() const noexcept { return messages_; }
  std::uint64_t bytes() const noexcept { return bytes_; }
  std::uint64_t bytes_max() const noexcept { return bytes_max_; }
  bool in_memory() const { return store_.in_memory(); }
  /// Whether the front is being read.
  bool awaits() const noexcept { return awaits_; }
  const Entry& at(std::uint32_t i) const noexcept { return entries_[i].entry; }
  const Entry& front() const noexcept { return entries_.front().entry; }
  /// Messages numbered from `sequence` on.
  std::uint64_t count_from(std::uint64_t sequence) const noexcept;

  /// Whether it goes on where the last one ends and is of the same publish.
  bool joins(const Entry& entry) const noexcept;
  /// How many of its first messages there is room for.
  std::uint32_t count_that_fits(const Entry& entry) const noexcept;
  bool fits(std::uint64_t bytes) const noexcept { return bytes_ + bytes <= bytes_max_; }

  /// False when the store refuses it, and then the entry is left as it was. `regardless`: whether
  /// there is room or not, and where the store refuses it stays in memory.
  bool push_back(Entry& entry, bool regardless);

  /// The batch of the front. kReady: front() is whole; kLost: only pop_front() helps.
  port::SpillStore::Fetch fetch();
  /// Takes the front out. Its batch is gone unless fetch() was ready.
  Entry pop_front();
  /// The first messages of the front. Requires: fetch() was ready, fewer than all.
  Entry split_front(std::uint32_t messages);

  /// Takes out what `wanted(entry)`, without its batch, and gives it to `take(entry)` in order,
  /// once all that stays stands in its place.
  template <typename Wanted, typename Take>
  void take_if(Wanted wanted, Take take) {
    Ring<Spilled> kept;
    Ring<Spilled> gone;
    for (; !entries_.empty();) {
      Spilled spilled = entries_.pop_front();
      const bool goes = wanted(std::as_const(spilled.entry));
      if (goes && kept.empty()) awaits_ = false;
      (goes ? gone : kept).push_back(std::move(spilled));
    }
    entries_ = std::move(kept);
    while (!gone.empty()) take(forget(gone.pop_front()));
  }

  void clear() noexcept;
  void shrink() { entries_.shrink(); }
  std::size_t memory_bytes() const noexcept { return sizeof(*this) + entries_.memory_bytes(); }
  void check_invariants() const;

 private:
  struct Spilled {
    Entry entry;  // without batch as long as that is in the store
    port::SpillStore::Handle handle = port::SpillStore::kNone;
  };

  Entry forget(Spilled spilled);

  port::SpillStore& store_;
  std::uint64_t tag_;
  std::uint64_t bytes_max_;
  Ring<Spilled> entries_;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t over_ = 0;  // taken regardless
  bool awaits_ = false;
};

}  // namespace sluice::queue::detail
