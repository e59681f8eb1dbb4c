// process.h: what does the process use of the machine?
//
// Thread:   any.
// Source:   proc(5), getrusage(2), getrlimit(2)
// Tests:    tests/unit/broker/admin/process_test.cc

#pragma once

#include "broker/metrics/snapshot.h"

namespace sluice::admin {

/// Fills in the process_* values; what the system does not tell stays 0.
void read_process(metrics::NodeMetrics& node);

}  // namespace sluice::admin
