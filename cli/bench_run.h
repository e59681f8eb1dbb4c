// bench_run.h: publishers and subscribers of one benchmark, each with a connection of its own.
//
// Each publisher and each subscriber has a thread. With a rate the load is open-loop: a message is
// due at a time that does not depend on how fast the ones before went, and its latency counts from
// then, so that a stall shows in every message that it delayed.
//
// Owner:    the verb.
// Thread:   run: the verb's own, which waits for all others.
// Errors:   those of connecting and subscribing; kCanceled after Ctrl-C before the load began.
// Tests:    tests/integration/cli/cli_test.py

#pragma once

#include "cli/bench_result.h"
#include "cli/runtime.h"

namespace sluice::cli {

/// Runs the load and waits until what was accepted has arrived. After Ctrl-C it ends early.
Result<BenchResult> run_bench(Runtime& runtime, const BenchOptions& options);

}  // namespace sluice::cli
