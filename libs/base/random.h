// random.h: seeded random numbers, the same on every machine.
//
// Every user is handed a generator; a run is repeated by its seed. Not for secrets.
//
// Thread:   one thread at a time.
// Source:   xoshiro256** and SplitMix64, Blackman and Vigna, https://prng.di.unimi.it/
// Tests:    tests/unit/libs/base/random_test.cc

#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace sluice::base {

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept {
    for (std::uint64_t& word : state_) word = split_mix(seed);
  }

  /// The next 64 bits.
  std::uint64_t next() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Evenly from [0, bound); 0 when bound is 0. The bias is under 2^-32 for bounds under 2^32.
  std::uint64_t below(std::uint64_t bound) noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }

  /// Evenly from [0, 1).
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  static std::uint64_t split_mix(std::uint64_t& seed) noexcept {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

  std::array<std::uint64_t, 4> state_{};
};

/// A seed that differs from run to run, from the system. Printed by whoever uses it.
std::uint64_t system_seed();

}  // namespace sluice::base
