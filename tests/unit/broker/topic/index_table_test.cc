#include "broker/topic/index_table.h"

#include <gtest/gtest.h>
#include <map>

#include "libs/base/random.h"

namespace sluice::topic {
namespace {

TEST(IndexTable, FindsNothingWhenEmpty) {
  const IndexTable table;
  EXPECT_EQ(table.find(1, [](std::uint32_t) { return true; }), kNone);
}

// Few hashes on purpose, so that runs collide, wrap around the end and are closed in the middle.
TEST(IndexTable, AgreesWithAMapUnderCollisions) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    base::Random random(seed);
    IndexTable table;
    std::map<std::uint32_t, std::uint32_t> model;  // position to hash
    for (int step = 0; step < 2000; ++step) {
      const auto position = static_cast<std::uint32_t>(random.below(60));
      if (const auto known = model.find(position); known != model.end()) {
        table.erase(known->second, position);
        model.erase(known);
      } else {
        const auto hash = static_cast<std::uint32_t>(UINT32_MAX - 3 + random.below(7));
        table.insert(hash, position);
        model.emplace(position, hash);
      }
      ASSERT_EQ(table.size(), model.size());
      for (const auto& [at, hash] : model) {
        ASSERT_EQ(table.find(hash, [&](std::uint32_t p) { return p == at; }), at);
      }
      ASSERT_EQ(table.find(12345, [](std::uint32_t) { return true; }), kNone);
    }
  }
}

TEST(HashText, DependsOnEveryByteTheLengthAndTheSeed) {
  const std::string_view text = "a-level-of-some-length";
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other(text);
    other[i] = '#';
    EXPECT_NE(hash_text(text, 7), hash_text(other, 7)) << i;
  }
  EXPECT_NE(hash_text("a", 7), hash_text(std::string_view("a\0", 2), 7));
  EXPECT_NE(hash_text(text, 7), hash_text(text, 8));
  EXPECT_EQ(hash_text(text, 7), hash_text(std::string(text), 7));
}

}  // namespace
}  // namespace sluice::topic
