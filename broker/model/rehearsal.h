// rehearsal.h: trouble that an operator has ordered, to see what it does.
//
// Owner:    values, made on the shard's thread and handed to another.
// Thread:   any once made.
// Units:    nanoseconds.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::model {

struct RehearsalRow {
  std::uint16_t shard = 0;
  std::string subscription;
  std::int64_t delay_ns = 0;
  std::int64_t ends_in_ns = 0;
  std::uint64_t deliveries = 0;
};

/// What became of an order to pause, resume, rehearse or stop.
struct ControlResult {
  std::uint64_t subscriptions = 0;  // of that name
  std::uint64_t refused = 0;        // of them: there are as many rehearsals as there may be
  std::vector<RehearsalRow> rehearsals;
};

}  // namespace sluice::model
