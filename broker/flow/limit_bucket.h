// limit_bucket.h: what is left of one limit for one topic, user, connection …, and what came of it?
//
// A bucket for messages, for bytes, or both, charged together or not at all, and counters of what
// became of what was offered.
//
// Owner:    BucketStore; shards keep shared references to those they use.
// Thread:   any; reshape() by one at a time.
// Units:    messages, and bytes of records.
// Source:   docs/decisions/0007-shared-token-buckets.md
// Tests:    tests/unit/broker/flow/limit_bucket_test.cc

#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "broker/model/limit_spec.h"
#include "broker/model/slice.h"
#include "libs/async/token_bucket.h"

namespace sluice::flow {

/// What became of messages that a limit applied to. Each stands in `passed` or in `refused`.
struct LimitCounts {
  std::uint64_t passed_messages = 0;
  std::uint64_t passed_bytes = 0;
  std::uint64_t delayed_messages = 0;   // of those that passed: had to wait first
  std::uint64_t refused_messages = 0;   // in: told to retry later, or expired
  std::uint64_t observed_messages = 0;  // of those that passed: over a limit that only observes

  void add(const LimitCounts& other);
};

class LimitBucket {
 public:
  LimitBucket(std::string key, const model::LimitSpec& spec);

  /// Charges both, or none: then the time at which it is worth to try again.
  std::optional<base::MonotonicTime> try_take(std::uint64_t messages, std::uint64_t bytes,
                                              base::MonotonicTime now);
  /// Charges both in any case; when they are due.
  base::MonotonicTime take_in_debt(std::uint64_t messages, std::uint64_t bytes,
                                   base::MonotonicTime now);
  void give_back(std::uint64_t messages, std::uint64_t bytes);

  /// How many of the first `most` messages of `slice` may go now; they are charged. Never more than
  /// the burst, but for a single message that is larger. When none: `when` it is worth to try.
  std::uint32_t take_front(const model::Slice& slice, std::uint32_t most, base::MonotonicTime now,
                           base::MonotonicTime& when);

  /// Charges as much as is there of messages that go in any case: how many of them were within.
  std::uint64_t take_within(std::uint64_t messages, std::uint64_t bytes, base::MonotonicTime now);

  const std::string& key() const { return key_; }
  bool full(base::MonotonicTime now) const;
  /// Left now; below 0 in debt. Empty: that is not limited.
  std::optional<std::int64_t> messages_left(base::MonotonicTime now) const;
  std::optional<std::int64_t> bytes_left(base::MonotonicTime now) const;
  /// Requires: the spec limits the same of messages and bytes as before.
  void reshape(const model::LimitSpec& spec, base::MonotonicTime now);

  void count_passed(std::uint64_t messages, std::uint64_t bytes);
  /// It was counted as passed and has not come to that.
  void uncount_passed(std::uint64_t messages, std::uint64_t bytes);
  void count_delayed(std::uint64_t messages) { bump(delayed_messages_, messages); }
  void count_refused(std::uint64_t messages) { bump(refused_messages_, messages); }
  void count_observed(std::uint64_t messages) { bump(observed_messages_, messages); }
  LimitCounts counts() const;

 private:
  using Counter = std::atomic<std::uint64_t>;
  static void bump(Counter& counter, std::uint64_t by) {
    counter.fetch_add(by, std::memory_order_relaxed);
  }

  const std::string key_;
  std::optional<async::TokenBucket> messages_;
  std::optional<async::TokenBucket> bytes_;
  Counter passed_messages_{0};
  Counter passed_bytes_{0};
  Counter delayed_messages_{0};
  Counter refused_messages_{0};
  Counter observed_messages_{0};
};

}  // namespace sluice::flow
