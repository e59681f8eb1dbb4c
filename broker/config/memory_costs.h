// memory_costs.h: what do our own objects cost in memory?
//
// The planner reckons with these, and the budget counts with them what it cannot ask for its size.
// Measured with tests/bench/memory; estimates on the high side.
//
// Units:    bytes.
// Source:   docs/guide/memory.md, section What is counted

#pragma once

#include <cstdint>

namespace sluice::config {

inline constexpr std::uint64_t kProcessBytes = 12U << 20;    // code, libraries, logs, HTTP endpoint
inline constexpr std::uint64_t kShardBytes = 1U << 20;       // stack, loop, tables at first size
inline constexpr std::uint64_t kMailboxEntryBytes = 256;     // a letter that waits
inline constexpr std::uint64_t kPublishBytes = 512;          // one whose outcome is still open
inline constexpr std::uint64_t kConnectionBytes = 8U << 10;  // idle: session, stream, decoder
inline constexpr std::uint64_t kOpenTopicBytes = 192;        // of a connection, its window
inline constexpr std::uint64_t kSubscriptionBytes = 1U << 10;  // empty: queue, ledger, filters
inline constexpr std::uint64_t kTopicBytes = 256;              // name, slot, cached matches
inline constexpr std::uint64_t kToldTopicBytes = 4;     // of a connection, that a topic was told
inline constexpr std::uint64_t kEndedBytes = 1U << 10;  // account of a subscription that ended
inline constexpr std::uint64_t kDropBytes = 512;        // a record of drops
inline constexpr std::uint64_t kMarkBytes = 192;        // an earlier state of a ledger
/// What a queue is charged for a slice, as queue::kSliceOverhead.
inline constexpr std::uint64_t kQueuedSliceBytes = 128;
/// What a message takes at most that came in a batch of its own and waits: header of the batch and
/// of its block, its entry in a queue that has just grown.
inline constexpr std::uint64_t kSingleMessageBytes = 320;
/// All connections together may have one part in so many of the budget unsent.
inline constexpr std::uint64_t kOutputShare = 8;

}  // namespace sluice::config
