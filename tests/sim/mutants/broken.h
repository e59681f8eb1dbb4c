// broken.h: is this rule broken right now?
//
// Asked by the copies of broker sources that break_rules.py makes; the broker itself has no such
// question in it.
//
// Owner:    mutants/main.cc, which breaks one rule at a time.
// Thread:   the test's.

#pragma once

#include <string_view>

namespace sluice::sim {

bool is_broken(std::string_view rule) noexcept;

}  // namespace sluice::sim
