// broken.h: which rules can be broken, and is this one broken right now?
//
// The copies of broker sources that break_rules.py makes ask; the broker itself has no such
// question in it.
//
// Owner:    mutants/main.cc, which breaks one rule at a time.
// Thread:   the test's.

#pragma once

#include <span>
#include <string_view>

namespace sluice::sim {

struct Rule {
  std::string_view name;
  std::string_view checker;  // that must see it
  bool lost = false;         // its text does not stand in the source once
};

/// Those of rules.toml; break_rules.py writes them.
std::span<const Rule> rules() noexcept;

bool is_broken(std::string_view rule) noexcept;

}  // namespace sluice::sim
