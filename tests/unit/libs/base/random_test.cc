#include "libs/base/random.h"

#include <array>
#include <gtest/gtest.h>
#include <set>
#include <vector>

namespace sluice::base {
namespace {

// The published algorithms once more, written from the page in random.h and checked below against
// vectors that others publish, so that Random is not compared with itself.
struct SplitMix64 {
  std::uint64_t state;
  std::uint64_t next() {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
};

struct Xoshiro256StarStar {
  std::array<std::uint64_t, 4> s;
  static std::uint64_t rotate(std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }
  std::uint64_t next() {
    const std::uint64_t result = rotate(s[1] * 5, 7) * 9;
    const std::uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
  }
};

TEST(Random, Reference_Gives_The_Published_Vectors) {
  SplitMix64 seeder{1234567};
  for (const std::uint64_t expected :
       {6457827717110365317U, 3203168211198807973U, 9817491932198370423U, 4593380528125082431U}) {
    EXPECT_EQ(seeder.next(), expected);
  }
  Xoshiro256StarStar generator{{1, 2, 3, 4}};
  for (const std::uint64_t expected :
       {std::uint64_t{11520}, std::uint64_t{0}, std::uint64_t{1509978240}, 1215971899390074240U,
        1216172134540287360U, 607988272756665600U}) {
    EXPECT_EQ(generator.next(), expected);
  }
}

TEST(Random, Is_Xoshiro_Seeded_By_SplitMix) {
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    SplitMix64 seeder{seed};
    Xoshiro256StarStar reference{};
    for (std::uint64_t& word : reference.s) word = seeder.next();
    Random random(seed);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(random.next(), reference.next());
  }
}

TEST(Random, Repeats_A_Run_By_Its_Seed) {
  Random one(42), same(42), other(43);
  const std::uint64_t first = one.next();
  EXPECT_EQ(first, same.next());
  EXPECT_NE(first, other.next());
}

TEST(Random, Below_Stays_Below_And_Reaches_Every_Value) {
  Random random(7);
  std::vector<int> seen(10);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t value = random.below(10);
    ASSERT_LT(value, 10U);
    ++seen[value];
  }
  // 1000 are expected of each; 800 to 1200 is over six standard deviations.
  for (const int count : seen) {
    EXPECT_GT(count, 800);
    EXPECT_LT(count, 1200);
  }
}

TEST(Random, Below_The_Edges) {
  Random random(7);
  EXPECT_EQ(random.below(0), 0U);
  EXPECT_EQ(random.below(1), 0U);
  for (int i = 0; i < 100; ++i) EXPECT_LT(random.below(~std::uint64_t{0}), ~std::uint64_t{0});
}

TEST(Random, Unit_Is_Even_Over_Zero_To_One) {
  Random random(7);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = random.unit();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Random, System_Seeds_Differ) {
  std::set<std::uint64_t> seeds;
  for (int i = 0; i < 16; ++i) seeds.insert(system_seed());
  EXPECT_EQ(seeds.size(), 16U);
}

}  // namespace
}  // namespace sluice::base
