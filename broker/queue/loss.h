// loss.h: what has a queue lost, for the log of drops?
//
// The consumer is told in a gap; this says beside it whose messages they were.
//
// Owner:    values of a BoundedQueue until they are taken.
// Thread:   the owner's.
// Tests:    tests/unit/broker/shard/drop_log_test.cc

#pragma once

#include <cstdint>

#include "broker/model/ids.h"
#include "broker/model/topic_ref.h"
#include "libs/wire/frames.h"

namespace sluice::queue {

/// Messages that were dropped for one reason.
struct Loss {
  wire::GapReason reason = wire::GapReason::kDroppedOldest;
  model::TopicRef topic;
  model::Origin origin;     // of the first of them
  std::uint64_t first = 0;  // sequences
  std::uint64_t last = 0;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};
inline constexpr std::size_t kMaxLosses = 256;  // told apart until they are taken

}  // namespace sluice::queue
