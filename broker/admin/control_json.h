// control_json.h: orders to pause, resume and rehearse subscriptions, and their outcome, as JSON.
//
//   rehearse.slow        {"name", "delay_ms", "for_ms"}
//   rehearse.stop        {"name"}
//   rehearse.list
//   subscription.pause   {"name"}
//   subscription.resume  {"name"}
//
// Thread:   any; no state.
// Errors:   kBadArgument.
// Tests:    tests/unit/broker/admin/inspection_json_test.cc, tests/integration/cli/explain_test.py

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/model/rehearsal.h"
#include "libs/base/clock.h"
#include "libs/base/result.h"

namespace sluice::admin {

struct Order {
  enum class Kind : std::uint8_t { kSlow, kStop, kList, kPause, kResume };
  Kind kind = Kind::kList;
  std::string name;
  base::Duration delay{0};
  base::Duration time{0};
};

base::Result<Order> parse_order(std::string_view verb, std::string_view body);

/// One result of each shard.
std::string control_json(const std::vector<model::ControlResult>& results);

}  // namespace sluice::admin
