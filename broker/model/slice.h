// slice.h: some messages of one batch, as they stand in queues, mailboxes and deliveries.
//
// Owner:    a value; shares the batch's bytes.
// Thread:   the owner shard; only the bytes may travel.
// Units:    `records` counts record bytes as libs/wire/batch.h defines them. In a compressed batch
//           single records cannot be seen, so there every message counts its even share of the
//           compressed bytes: share(first, count) sums exactly over the whole batch.
// Tests:    tests/unit/broker/model/slice_test.cc

#pragma once

#include <cstdint>

#include "broker/model/topic_ref.h"
#include "libs/base/clock.h"
#include "libs/base/slab.h"
#include "libs/wire/batch.h"

namespace sluice::model {

struct Slice {
  base::SharedBytes batch;    // the whole batch, header and all
  TopicRef topic;             // holds its topic on the shard that holds the slice; may be empty
  std::uint32_t first = 0;    // index of its first message in the batch
  std::uint32_t count = 0;    // its messages, at least 1
  std::uint32_t offset = 0;   // where its first record starts in the batch; 0 when compressed
  std::uint32_t records = 0;  // record bytes of its messages
  Origin origin;              // the publish it came from
  // The batch's earliest deadline of a message, as monotonic time: records are looked at when it
  // has passed, not before. The shard that took the batch in converts it.
  base::MonotonicTime earliest_deadline = base::kNever;

  bool compressed() const noexcept { return offset == 0; }

  /// The slice of a whole checked batch.
  static Slice whole(base::SharedBytes batch, TopicRef topic, const wire::BatchHeader& header);

  /// Record bytes of the first `n` of its messages. Requires: n <= count.
  std::uint32_t bytes_of_first(std::uint32_t n) const noexcept;

  /// How many of its messages, from the front, have together at most `limit` record bytes.
  std::uint32_t count_within(std::uint64_t limit) const noexcept;

  /// Takes the first `n` messages off the front and returns them as a slice of their own.
  /// Requires: 0 < n < count.
  Slice split_front(std::uint32_t n);
};

}  // namespace sluice::model
