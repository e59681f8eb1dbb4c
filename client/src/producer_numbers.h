// producer_numbers.h: which number does the next batch of an idempotent producer get?
//
// Numbers are given in the order of sending, whatever the topic, so that what the broker has taken
// is all that lies below one number, as far as it did not refuse some. A batch keeps its number
// when it is sent again.
//
// Owner:    the publish pump, on the I/O thread.
// Thread:   the I/O thread.
// Units:    sequence numbers, one a message; the first is 1.
// Limits:   kMaxProducerSequence.
// Errors:   on_open: kBadArgument where the numbers are used up.
// Source:   docs/formats/wire.md, section Publishing; docs/decisions/0009-producers-are-leased.md
// Tests:    tests/unit/client/producer_test.cc

#pragma once

#include <cstdint>
#include <optional>
#include <sluice/client.h>

#include "client/src/lane.h"
#include "libs/wire/frames.h"

namespace sluice::detail {

/// A first number above it is refused: what follows must never overflow.
inline constexpr std::uint64_t kMaxProducerSequence = UINT64_MAX / 2;

class ProducerNumbers {
 public:
  explicit ProducerNumbers(const ClientOptions& options)
      : id_(options.producer_id), next_(options.first_sequence) {}

  /// What HELLO says of this producer; 0: it is a new one, or none.
  std::uint64_t epoch() const noexcept { return epoch_; }

  Status on_open(const wire::Welcome& welcome);

  /// Numbers a batch that was never sent. Where the broker has taken some of its numbers and not
  /// the others, which would refuse the whole, the batch is cut, and the second part is returned.
  std::optional<OutBatch> number(OutBatch& batch);

 private:
  const std::uint64_t id_;
  std::uint64_t next_;       // 0 until the broker has said where it stands
  std::uint64_t taken_ = 0;  // the broker has taken nothing from here on
  std::uint64_t epoch_ = 0;
};

}  // namespace sluice::detail
