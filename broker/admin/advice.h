// advice.h: what could be changed about what limits somebody, and what does that cost?
//
// Thread:   any; no state.
// Units:    in words; the arithmetic is shown.
// Tests:    tests/unit/broker/admin/inspection_json_test.cc

#pragma once

#include <string>
#include <vector>

#include "broker/model/explanation.h"

namespace sluice::admin {

struct Advice {
  std::string change;
  std::string cost;
};

/// Why it is in its state, in one sentence with numbers.
std::string cause_of(const model::SubscriptionExplanation& row);

/// Nothing where nothing limits it.
std::vector<Advice> advice_for(const model::SubscriptionExplanation& row);
std::vector<Advice> advice_for(const model::PublisherExplanation& row);

}  // namespace sluice::admin
