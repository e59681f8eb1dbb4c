// drop_log.h: which messages were dropped of late, of whom, and why?
//
// A ring of records. What the same subscription loses for the same reason of the same topic and
// publisher within kGrows of the first such loss is one record, so a stalled subscriber costs one
// record a second and not one a message. Numbers rise with each record, so that a reader who comes
// again knows where it was, and how many it has missed.
//
// Owner:    Core.
// Thread:   the owner shard only.
// Limits:   `max` records, the oldest go first; kMaxLook records looked at per loss.
// Tests:    tests/unit/broker/shard/drop_log_test.cc

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "broker/model/ids.h"
#include "libs/base/clock.h"
#include "libs/wire/frames.h"

namespace sluice::shard {

/// What is told apart: losses that differ in it stand in records of their own.
struct DropKey {
  std::uint64_t serial = 0;  // of the subscription
  wire::GapReason reason = wire::GapReason::kDroppedOldest;
  model::TopicSlot topic{};
  std::uint32_t generation = 0;  // of the topic's slot
  model::ConnectionId publisher{};
  model::ShardId publisher_shard{};
  bool operator==(const DropKey&) const = default;
};

/// How much was lost; `first` to `last` are sequences of the subscription.
struct DropCount {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

struct DropRecord {
  std::uint64_t number = 0;    // from 1
  std::uint64_t previous = 0;  // of the same subscription; 0: none
  DropKey key;
  DropCount lost;
  base::MonotonicTime began;
  base::MonotonicTime last_at;
  std::string subscription;
  std::string client;
  std::string topic;
  std::string publisher;  // its client's name; empty when it is not known here
};

class DropLog {
 public:
  static constexpr base::Duration kGrows = std::chrono::seconds(1);
  static constexpr std::size_t kMaxLook = 16;

  explicit DropLog(std::size_t max) : max_(max) {}

  /// Adds to a record that still grows, if the subscription whose newest record is `newest` has
  /// one for `key`.
  bool try_grow(std::uint64_t newest, const DropKey& key, const DropCount& lost,
                base::MonotonicTime now);
  /// A new record; gives its number. Numbers and times are filled in.
  std::uint64_t add(DropRecord&& record, std::uint64_t newest, base::MonotonicTime now);

  /// Null when it is not there (any more).
  const DropRecord* find(std::uint64_t number) const;
  std::uint64_t oldest() const { return added_ - records_.size() + 1; }
  std::uint64_t newest() const { return added_; }
  std::size_t memory_bytes() const noexcept {
    return records_.capacity() * sizeof(DropRecord) + text_bytes_;
  }
  /// Whether a record may still grow.
  static bool grows(const DropRecord& record, base::MonotonicTime now) {
    return now - record.began < kGrows;
  }

 private:
  std::size_t max_;
  std::uint64_t added_ = 0;
  std::size_t text_bytes_ = 0;
  std::vector<DropRecord> records_;  // a ring: number n stands at (n - 1) % max_
};

}  // namespace sluice::shard
