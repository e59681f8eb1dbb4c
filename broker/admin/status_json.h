// status_json.h: what the node holds, as JSON for people and programs.
//
// The fields are stable; new ones may be added. docs/guide/running.md lists them.
//
// Thread:   any; no state.
// Units:    bytes and messages; durations in the name.
// Tests:    tests/unit/broker/admin/status_json_test.cc

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/model/status.h"

namespace sluice::admin {

/// What the process uses of its memory budget.
struct MemoryStatus {
  std::uint64_t budget_bytes = 0;
  std::uint64_t used_bytes = 0;
  std::array<std::uint64_t, 8> parts{};  // by metrics::MemoryPart
  std::uint8_t pressure = 0;             // 255: publishes are refused
  std::uint64_t ceiling_bytes = 0;       // that each queue is held to; 0: none
};

struct NodeStatus {
  std::string node;
  std::string version;
  std::uint64_t uptime_ms = 0;
  MemoryStatus memory;
  bool draining = false;
  std::vector<model::ShardStatus> shards;
};

/// One JSON object: the node, its sums, and every subscription with its ledger.
std::string status_json(const NodeStatus& status);
/// The same in at most `max_bytes`, as far as its lists can be cut for that: the sums stay.
std::string status_json(NodeStatus&& status, std::size_t max_bytes);

}  // namespace sluice::admin
