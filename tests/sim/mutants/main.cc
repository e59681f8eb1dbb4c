// shard_mutants [RULE]: breaks one rule of the broker after another; a checker must see each.
//
// The rules stand in rules.toml, each with the checker that must find it within kSeeds runs: what
// nobody sees would go unseen in the broker as well. A rule that has lost its place in the sources
// is a failure too.

#include <cstdio>
#include <map>
#include <set>
#include <string>

#include "tests/sim/mutants/broken.h"
#include "tests/sim/trial.h"

namespace sluice::sim {
namespace {

constexpr std::uint64_t kSeeds = 400;

std::string_view g_broken;

// Without the broker's own invariants, which would end a run before a checker looks.
Verdict run_seed(std::uint64_t seed) {
  return run_apart(make_plan(seed), {.check_invariants = false});
}

// The first seed in which that checker finds something; 0: none. Counts who else did before.
std::uint64_t first_seen(std::string_view checker, std::map<std::string, int>& others) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    std::set<std::string, std::less<>> names;
    for (const Finding& finding : run_seed(seed).findings) names.insert(finding.checker);
    if (names.contains(checker)) return seed;
    for (const std::string& name : names) ++others[name];
  }
  return 0;
}

bool check_rule(const Rule& rule) {
  if (rule.lost) {
    std::printf("LOST   %-30s its text is not in the source once\n", rule.name.data());
    return false;
  }
  g_broken = rule.name;
  std::map<std::string, int> others;
  const std::uint64_t seed = first_seen(rule.checker, others);
  std::string text;
  for (const auto& [name, count] : others) text += " " + name + " " + std::to_string(count);
  std::printf("%-6s %-30s %-10s seed %llu%s%s\n", seed == 0 ? "UNSEEN" : "seen", rule.name.data(),
              rule.checker.data(), static_cast<unsigned long long>(seed),
              text.empty() ? "" : ", before it:", text.c_str());
  return seed != 0;
}

// With nothing broken nobody may find anything.
bool check_unbroken() {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    for (const Finding& finding : run_seed(seed).findings) {
      std::printf("seed %llu, nothing broken, %s: %s\n", static_cast<unsigned long long>(seed),
                  finding.checker.c_str(), finding.text.c_str());
      return false;
    }
  }
  return true;
}

// Every checker must be able to fail.
bool check_covered() {
  std::set<std::string_view> covered;
  for (const Rule& rule : rules()) covered.insert(rule.checker);
  bool all = true;
  for (const auto& checker : make_checkers()) {
    if (covered.contains(checker->name())) continue;
    std::printf("no rule is for the checker %s\n", std::string(checker->name()).c_str());
    all = false;
  }
  return all;
}

}  // namespace

bool is_broken(std::string_view rule) noexcept { return rule == g_broken; }

int check_mutants(std::string_view only) {
  bool good = only.empty() ? check_unbroken() && check_covered() : true;
  for (const Rule& rule : rules()) {
    if (only.empty() || only == rule.name) good = check_rule(rule) && good;
  }
  return good ? 0 : 1;
}

}  // namespace sluice::sim

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 1U << 16);
  return sluice::sim::check_mutants(argc > 1 ? argv[1] : "");
}
