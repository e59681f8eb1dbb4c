#include "libs/base/strong_id.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <limits>
#include <type_traits>
#include <unordered_set>

namespace sluice::base {
namespace {

struct SessionTag {};
struct ShardTag {};
using SessionId = StrongId<SessionTag, std::uint64_t>;
using ShardId = StrongId<ShardTag, std::uint16_t>;

static_assert(!std::is_convertible_v<std::uint64_t, SessionId>);
static_assert(!std::is_convertible_v<SessionId, std::uint64_t>);
static_assert(!std::is_constructible_v<SessionId, ShardId>);
static_assert(!std::is_assignable_v<SessionId&, ShardId>);
static_assert(std::is_trivially_copyable_v<SessionId>);
static_assert(sizeof(ShardId) == 2);

TEST(StrongId, Starts_At_Zero_And_Compares_By_Value) {
  EXPECT_EQ(SessionId().value(), 0U);
  EXPECT_EQ(SessionId(7), SessionId(7));
  EXPECT_NE(SessionId(7), SessionId(8));
  EXPECT_LT(SessionId(7), SessionId(8));
}

TEST(StrongId, Next_Counts_On_Without_Changing_It) {
  const SessionId id(7);
  EXPECT_EQ(id.next(), SessionId(8));
  EXPECT_EQ(id.next(10), SessionId(17));
  EXPECT_EQ(id, SessionId(7));
}

TEST(StrongId, Next_Wraps_In_The_Width_Of_Its_Integer) {
  EXPECT_EQ(ShardId(std::numeric_limits<std::uint16_t>::max()).next(), ShardId(0));
}

TEST(StrongId, Serves_As_A_Key) {
  std::unordered_set<ShardId> ids = {ShardId(1), ShardId(2), ShardId(1)};
  EXPECT_EQ(ids.size(), 2U);
  EXPECT_TRUE(ids.contains(ShardId(2)));
}

}  // namespace
}  // namespace sluice::base
