#include "broker/topic/subscription_index.h"

#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>

#include "broker/topic/topic_registry.h"
#include "libs/base/random.h"

namespace sluice::topic {
namespace {

model::SubscriptionSlot slot(std::uint32_t value) { return model::SubscriptionSlot(value); }
model::ShardId shard(std::uint16_t value) { return model::ShardId(value); }

std::string matched(const SubscriptionIndex& index, std::string_view topic) {
  Match match;
  index.match(topic, match);
  std::string out;
  for (const auto found : match.local)
    out += (out.empty() ? "" : " ") + std::to_string(found.value());
  return out;
}

TEST(SubscriptionIndex, TableOfFiltersAndTopics) {
  SubscriptionIndex index;
  const char* const filters[] = {"orders.eu.created",  // 0
                                 "orders.*.created",   // 1
                                 "orders.>",           // 2
                                 ">",                  // 3
                                 "*",                  // 4
                                 "*.eu.>",             // 5
                                 "$sys.>",             // 6
                                 "$sys.load",          // 7
                                 "*.load",             // 8
                                 "orders"};            // 9
  for (std::uint32_t i = 0; i < std::size(filters); ++i) index.add(filters[i], slot(i));
  index.check_invariants();

  const std::pair<const char*, const char*> cases[] = {{"orders.eu.created", "0 1 2 3 5"},
                                                       {"orders.us.created", "1 2 3"},
                                                       {"orders.eu", "2 3"},
                                                       {"orders", "3 4 9"},
                                                       {"other", "3 4"},
                                                       {"other.eu.a.b.c", "3 5"},
                                                       {"$sys.load", "6 7"},
                                                       {"$sys.load.now", "6"},
                                                       {"$sys", ""},
                                                       {"node.load", "3 8"},
                                                       {"order", "3 4"},
                                                       {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", "3"}};
  for (const auto& [topic, expected] : cases) EXPECT_EQ(matched(index, topic), expected) << topic;
}

TEST(SubscriptionIndex, ASlotIsFoundOnceThroughSeveralFilters) {
  SubscriptionIndex index;
  index.add("a.b", slot(7));
  index.add("a.*", slot(7));
  index.add(">", slot(7));
  index.add("a.>", slot(3));
  EXPECT_EQ(matched(index, "a.b"), "3 7");
  index.remove("a.*", slot(7));
  EXPECT_EQ(matched(index, "a.b"), "3 7");
  EXPECT_EQ(index.size(), 3U);
  index.check_invariants();
}

TEST(SubscriptionIndex, VersionRisesWithEveryChange) {
  SubscriptionIndex index;
  std::uint64_t before = index.version();
  EXPECT_GT(before, 0U);
  const auto rose = [&] { return index.version() > std::exchange(before, index.version()); };
  index.add("a", slot(1));
  EXPECT_TRUE(rose());
  index.add_remote("a", shard(1), false);
  EXPECT_TRUE(rose());
  Match match;
  index.match("a", match);
  EXPECT_FALSE(rose());
  index.remove_remote("a", shard(1), false);
  EXPECT_TRUE(rose());
  index.remove("a", slot(1));
  EXPECT_TRUE(rose());
}

TEST(SubscriptionIndex, RemoteInterestIsCountedAndStrictIsTold) {
  SubscriptionIndex index;
  index.add_remote("a.>", shard(3), false);
  index.add_remote("a.>", shard(3), true);
  index.add_remote("a.b", shard(63), false);
  index.add_remote("a.b", shard(0), false);
  Match match;
  const auto remote = [&](std::string_view topic) {
    index.match(topic, match);
    return std::pair(match.remote, match.remote_strict);
  };
  const std::uint64_t bit3 = 1U << 3;
  const std::uint64_t bit63 = std::uint64_t{1} << 63;
  EXPECT_EQ(remote("a.b"), std::pair(bit3 | bit63 | 1U, bit3));
  EXPECT_EQ(remote("a.c"), std::pair(bit3, bit3));
  EXPECT_TRUE(match.local.empty());
  index.remove_remote("a.>", shard(3), true);
  EXPECT_EQ(remote("a.c"), std::pair(bit3, std::uint64_t{0}));
  index.remove_remote("a.>", shard(3), false);
  EXPECT_EQ(remote("a.c"), std::pair(std::uint64_t{0}, std::uint64_t{0}));
  index.remove_remote("a.b", shard(63), false);
  EXPECT_EQ(remote("a.b"), std::pair(std::uint64_t{1}, std::uint64_t{0}));
  EXPECT_EQ(index.size(), 0U);
  index.check_invariants();
}

TEST(SubscriptionIndex, ChurnDoesNotGrow) {
  SubscriptionIndex index;
  index.add("fixed.>", slot(1));
  for (std::uint32_t round = 0; round < 200; ++round) {
    for (std::uint32_t i = 0; i < 100; ++i) {
      index.add("churn.r" + std::to_string(round) + ".*." + std::to_string(i), slot(i));
    }
    for (std::uint32_t i = 0; i < 100; ++i) {
      index.remove("churn.r" + std::to_string(round) + ".*." + std::to_string(i), slot(i));
    }
  }
  EXPECT_LT(index.memory_bytes(), 64U << 10);
  index.check_invariants();
}

// The figure the budget and the README stand on.
TEST(SubscriptionIndex, APlainFilterCostsLessThanAHundredBytes) {
  SubscriptionIndex index;
  const std::uint32_t count = 100'000;
  for (std::uint32_t i = 0; i < count; ++i) index.add("device." + std::to_string(i), slot(i));
  EXPECT_LT(index.memory_bytes() / count, 100U);
}

// Compares every answer with filter_matches over all that was added.
class Comparison {
 public:
  explicit Comparison(std::uint64_t seed) : random_(seed), index_(seed) {}

  void step() {
    const std::string filter = make_filter();
    const auto number = static_cast<std::uint32_t>(random_.below(12));
    if (random_.below(2) == 0) {
      change_local(filter, number);
    } else {
      change_remote(filter, static_cast<std::uint16_t>(number), random_.below(2) == 0);
    }
    index_.check_invariants();
    for (int i = 0; i < 4; ++i) compare(make_topic());
  }

  void remove_all() {
    for (const auto& [filter, number] : local_) index_.remove(filter, slot(number));
    for (const auto& [key, count] : remote_) {
      const auto& [filter, number, strict] = key;
      for (int i = 0; i < count; ++i) index_.remove_remote(filter, shard(number), strict);
    }
    index_.check_invariants();
    EXPECT_EQ(index_.size(), 0U);
    EXPECT_EQ(matched(index_, "a.b"), "");
  }

 private:
  void change_local(const std::string& filter, std::uint32_t number) {
    if (local_.erase({filter, number}) > 0) {
      index_.remove(filter, slot(number));
    } else {
      index_.add(filter, slot(number));
      local_.emplace(filter, number);
    }
    ASSERT_EQ(index_.size(), local_.size());
  }

  void change_remote(const std::string& filter, std::uint16_t number, bool strict) {
    int& count = remote_[{filter, number, strict}];
    if (count > 0 && random_.below(2) == 0) {
      index_.remove_remote(filter, shard(number), strict);
      --count;
    } else {
      index_.add_remote(filter, shard(number), strict);
      ++count;
    }
  }

  void compare(const std::string& topic) {
    Match expected;
    std::set<std::uint32_t> slots;
    for (const auto& [filter, number] : local_) {
      if (wire::filter_matches(filter, topic)) slots.insert(number);
    }
    for (const std::uint32_t number : slots) expected.local.push_back(slot(number));
    for (const auto& [key, count] : remote_) {
      const auto& [filter, number, strict] = key;
      if (count == 0 || !wire::filter_matches(filter, topic)) continue;
      expected.remote |= std::uint64_t{1} << number;
      if (strict) expected.remote_strict |= std::uint64_t{1} << number;
    }
    index_.match(topic, match_);
    ASSERT_EQ(match_.local, expected.local) << topic;
    ASSERT_EQ(match_.remote, expected.remote) << topic;
    ASSERT_EQ(match_.remote_strict, expected.remote_strict) << topic;
  }

  std::string make_topic() {
    static const char* const levels[] = {"a", "b", "c", "$s", "aa"};
    std::string topic;
    for (std::uint64_t left = 1 + random_.below(4); left > 0; --left) {
      topic += (topic.empty() ? "" : ".") + std::string(levels[random_.below(5)]);
    }
    return topic;
  }

  std::string make_filter() {
    const std::string topic = make_topic();
    std::string out;
    for (std::string_view rest = topic; !rest.empty();) {
      const std::string_view level = wire::take_level(rest);
      out += (out.empty() ? "" : ".") + std::string(random_.below(3) == 0 ? "*" : level);
    }
    if (random_.below(3) == 0) out += ".>";
    return random_.below(20) == 0 ? ">" : out;
  }

  base::Random random_;
  SubscriptionIndex index_;
  std::set<std::pair<std::string, std::uint32_t>> local_;
  std::map<std::tuple<std::string, std::uint16_t, bool>, int> remote_;
  Match match_;
};

TEST(SubscriptionIndex, AgreesWithThePlainRule) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Comparison comparison(seed);
    for (int step = 0; step < 300; ++step) {
      comparison.step();
      if (testing::Test::HasFatalFailure()) return;
    }
    comparison.remove_all();
  }
}

}  // namespace
}  // namespace sluice::topic
