// drain_rate.h: how long will what is queued last in this queue take to leave it?
//
// Looks at how many messages left while there were some to leave, in samples of at least kSample,
// and averages them, the newest half by half. A queue that was empty in between tells nothing about
// how fast it can be drained, so such a sample does not count.
//
// Owner:    one subscription.
// Thread:   the owner shard only.
// Units:    messages, and messages per second.
// Tests:    tests/unit/broker/flow/drain_rate_test.cc

#pragma once

#include <cstdint>
#include <optional>

#include "libs/base/clock.h"

namespace sluice::flow {

class DrainRate {
 public:
  static constexpr base::Duration kSample = std::chrono::milliseconds(200);

  /// To be told now and then: how many messages have left so far, and how many are still there.
  void observe(base::MonotonicTime now, std::uint64_t left, std::uint64_t queued) noexcept;

  /// How long `queued` messages take to leave; kForever where nothing leaves any more. Empty while
  /// nothing is known, as of a queue that was never behind.
  std::optional<base::Duration> wait(std::uint64_t queued) const noexcept;

  static constexpr base::Duration kForever = base::Duration::max();

 private:
  base::MonotonicTime since_;    // of the sample under way
  std::uint64_t left_then_ = 0;  // at its begin
  float per_second_ = -1;        // below 0: not known
  bool sampling_ = false;        // the queue has not been seen empty since
};

}  // namespace sluice::flow
