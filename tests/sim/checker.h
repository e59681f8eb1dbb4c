// checker.h: did the broker keep its promises in this run?
//
// From what clients were told alone: receipts, deliveries, gaps. The ledgers inside are checked by
// the harness after every turn.
//
// Thread:   the test's.

#pragma once

#include <string>

#include "tests/sim/scenario.h"

namespace sluice::sim {

/// What was broken, one line each; empty when all promises were kept.
std::string broken_promises(Scenario& scenario);

}  // namespace sluice::sim
