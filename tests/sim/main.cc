// shard_sim [--seed N] [--seeds COUNT]: random scenarios, from seed N on (1).
//
// Exit code 1 and the seed when a promise was broken; an assertion prints its seed as well.

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include "tests/sim/checker.h"
#include "tests/sim/scenario.h"

namespace {

std::array<char, 64> g_seed_line{};

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

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGABRT, print_seed);
  std::signal(SIGSEGV, print_seed);
  const std::uint64_t first = number_after(argc, argv, "--seed", 1);
  const std::uint64_t count = number_after(argc, argv, "--seeds", 1);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    std::snprintf(g_seed_line.data(), g_seed_line.size(), "replay with --seed %llu\n",
                  static_cast<unsigned long long>(seed));
    sluice::sim::Scenario scenario(seed);
    scenario.run();
    const std::string broken = sluice::sim::broken_promises(scenario);
    if (broken.empty()) continue;
    std::fprintf(stderr, "%s%s", broken.c_str(), g_seed_line.data());
    return 1;
  }
  std::printf("%llu scenarios from seed %llu: all promises kept\n",
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(first));
  return 0;
}
