// shard_sim: random runs of the shards under faults; ./dev sim drives it.
//
//   shard_sim --seeds COUNT [--seed FIRST]   runs seeds from FIRST (1) on
//   shard_sim --seed N --trace               one run, told step by step
//   shard_sim --seed N --shrink              the shortest plan that still fails, told
//   shard_sim --seeds COUNT --twice          each twice: the same seed must replay exactly
//
// Exit code 1 and the seed when a promise was broken; an assertion prints its seed as well.

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>

#include "tests/sim/trial.h"

namespace {

using namespace sluice::sim;

constexpr std::size_t kShrinkAttempts = 4000;

std::array<char, 96> g_seed_line{};

extern "C" void print_seed(int number) {
  static_cast<void>(!write(STDERR_FILENO, g_seed_line.data(), std::strlen(g_seed_line.data())));
  std::signal(number, SIG_DFL);
  std::raise(number);
}

std::uint64_t number_after(int argc, char** argv, const char* flag, std::uint64_t otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], flag) == 0) return std::strtoull(argv[i + 1], nullptr, 10);
  }
  return otherwise;
}

bool has_flag(int argc, char** argv, const char* flag) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], flag) == 0) return true;
  }
  return false;
}

void remember(std::uint64_t seed) {
  std::snprintf(g_seed_line.data(), g_seed_line.size(), "replay: ./dev sim --seed %llu --trace\n",
                static_cast<unsigned long long>(seed));
}

void tell(const Verdict& verdict) {
  for (const Finding& finding : verdict.findings) {
    std::fprintf(stderr, "%s: %s\n", finding.checker.c_str(), finding.text.c_str());
  }
  std::fprintf(stderr, "after step %zu\n%s", verdict.steps, g_seed_line.data());
}

int shrink_one(std::uint64_t seed) {
  const Plan plan = make_plan(seed);
  const Verdict verdict = run_apart(plan, {});
  if (verdict.findings.empty()) {
    std::printf("seed %llu: all promises kept\n", static_cast<unsigned long long>(seed));
    return 0;
  }
  const Plan shortest = shrink(plan, {}, verdict.findings.front().checker, kShrinkAttempts);
  std::printf("%zu of %zu steps\n", shortest.steps.size(), plan.steps.size());
  std::fflush(stdout);
  tell(run_here(shortest, {.check_invariants = true, .trace = true}));
  return 1;
}

int run_seeds(std::uint64_t first, std::uint64_t count, const RunOptions& options, bool twice) {
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    remember(seed);
    const Plan plan = make_plan(seed);
    Verdict verdict = run_here(plan, options);
    if (twice && run_here(plan, options).fingerprint != verdict.fingerprint) {
      verdict.findings.push_back({"replay", "the same seed ran differently"});
    }
    if (verdict.findings.empty()) continue;
    tell(verdict);
    return 1;
  }
  std::printf("%llu runs from seed %llu: all promises kept\n",
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(first));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGABRT, print_seed);
  std::signal(SIGSEGV, print_seed);
  std::setvbuf(stdout, nullptr, _IOLBF, 1U << 16);  // an abort loses nothing of a trace
  const std::uint64_t first = number_after(argc, argv, "--seed", 1);
  const std::uint64_t count = number_after(argc, argv, "--seeds", 1);
  remember(first);
  if (has_flag(argc, argv, "--shrink")) return shrink_one(first);
  RunOptions options;
  options.trace = has_flag(argc, argv, "--trace");
  return run_seeds(first, count, options, has_flag(argc, argv, "--twice"));
}
