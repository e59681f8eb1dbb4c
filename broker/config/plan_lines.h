// plan_lines.h: how is a line of a plan reckoned and written?
//
// Thread:   pure; any.
// Units:    bytes; products and sums stop at 2^64-1 instead of wrapping.
// Tests:    tests/unit/broker/config/planner_test.cc, plan_for_test.cc

#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "broker/config/planner.h"

namespace sluice::config {

Size times(Size a, Size b) noexcept;
Size plus(Size a, Size b) noexcept;

struct Factor {
  Size value;
  const char* noun;  ///< null: a size in bytes
};

/// One line: the product of its factors, written out as it is reckoned.
PlanLine product(std::string what, std::initializer_list<Factor> factors);

/// What all connections together may have unsent: see kOutputShare.
PlanLine unsent_output(const Settings& settings);

/// What each shard remembers of ended subscriptions, of drops and of ledgers.
std::vector<PlanLine> history(const Settings& settings);

std::string row(const std::string& what, const std::string& arithmetic, Size bytes);
std::string rows(const std::vector<PlanLine>& lines);

}  // namespace sluice::config
