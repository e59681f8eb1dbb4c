// limit_holders.h: what do limits keep with a connection and with a subscription?
//
// Made when a limit is first looked for, so that without limits each costs a null pointer.
//
// Owner:    the connection, the subscription; changed by Limiting alone.
// Thread:   the owner shard only.

#pragma once

#include "broker/flow/limit_table.h"
#include "libs/base/clock.h"

namespace sluice::shard {

/// Of a connection, once a limit was looked for.
struct ConnectionLimits {
  flow::AppliedLimits applied;
  base::MonotonicTime paced_until = base::MonotonicTime::min();  // what was dealt to it waits
  std::uint32_t paced_by = 0;
};

/// Of a subscription, once a limit was looked for.
struct SubscriptionLimits {
  flow::AppliedLimits applied;
  base::MonotonicTime paced_until = base::MonotonicTime::min();
  base::MonotonicTime waited_until;  // the turn in which it last went on, and
  std::uint32_t waited_for = 0;      // the limit that it had waited for
  bool gap_told = false;             // since it waits
};

}  // namespace sluice::shard
