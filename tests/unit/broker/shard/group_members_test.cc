// The line of a shared subscription's members.

#include "broker/shard/group_members.h"

#include <gtest/gtest.h>

namespace sluice::shard {
namespace {

class Line : public ::testing::Test {
 protected:
  static MemberKey key(std::uint64_t join, std::uint16_t shard = 0) {
    return {model::ShardId(shard), model::ConnectionId(1), model::SubscriptionId(1), join};
  }
  void add(std::uint64_t join, std::uint64_t credit) {
    members.add({key(join), {}, {credit, credit == 0 ? 0 : 1000}});
  }
  // Deals one message in each turn; who got them.
  std::vector<std::uint64_t> deal(int messages) {
    std::vector<std::uint64_t> got;
    for (int i = 0; i < messages && members.open() > 0; ++i) {
      Member& member = members.first();
      got.push_back(member.key.join);
      member.credit.messages -= 1;
      members.first_was_dealt_to();
    }
    return got;
  }

  GroupMembers members;
};

using Joins = std::vector<std::uint64_t>;

TEST_F(Line, GivesEachItsTurnWhileItHasCredit) {
  add(1, 2);
  add(2, 0);
  add(3, 3);
  EXPECT_EQ(members.open(), 2U);
  EXPECT_EQ(deal(10), (Joins{1, 3, 1, 3, 3}));
  EXPECT_EQ(members.open(), 0U);
  EXPECT_EQ(members.size(), 3U);
}

TEST_F(Line, IsJoinedAtItsEndByWhoGetsCredit) {
  add(1, 1);
  add(2, 0);
  add(3, 5);
  EXPECT_TRUE(members.grant(key(2), {2, 10}));
  EXPECT_EQ(deal(2), (Joins{1, 3}));
  EXPECT_TRUE(members.grant(key(1), {1, 10}));
  EXPECT_TRUE(members.grant(key(3), {1, 10}));  // stays where it is
  EXPECT_EQ(deal(4), (Joins{2, 3, 1, 2}));
}

TEST_F(Line, IsNotJoinedByWhoHasCreditOfOneKindOnly) {
  add(1, 0);
  EXPECT_TRUE(members.grant(key(1), {5, 0}));
  EXPECT_EQ(members.open(), 0U);
  EXPECT_TRUE(members.grant(key(1), {0, 5}));
  EXPECT_EQ(members.open(), 1U);
}

TEST_F(Line, IsLeftByWhoLeaves) {
  add(1, 5);
  add(2, 5);
  add(3, 0);
  members.remove(key(1));
  members.remove(key(3));
  EXPECT_FALSE(members.grant(key(1), {1, 1}));
  EXPECT_EQ(deal(2), (Joins{2, 2}));
  members.remove(key(2));
  EXPECT_TRUE(members.empty());
}

TEST_F(Line, KnowsMembersOfTwoShardsApart) {
  members.add({key(1, 0), "a", {1, 1}});
  members.add({key(1, 1), "b", {1, 1}});
  members.remove(key(1, 0));
  EXPECT_EQ(members.first().name, "b");
  std::size_t seen = 0;
  members.each([&seen](const Member&) { ++seen; });
  EXPECT_EQ(seen, 1U);
}

}  // namespace
}  // namespace sluice::shard
