#include "libs/base/bytes.h"

#include <array>
#include <gtest/gtest.h>
#include <limits>

namespace sluice::base {
namespace {

template <typename Integer>
class BytesOf : public testing::Test {};

using Integers = testing::Types<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t,
                                std::uint32_t, std::int32_t, std::uint64_t, std::int64_t>;
TYPED_TEST_SUITE(BytesOf, Integers);

TYPED_TEST(BytesOf, Are_Read_Back_As_Stored_At_Any_Alignment) {
  using Limits = std::numeric_limits<TypeParam>;
  std::array<std::byte, 16> room{};
  for (std::size_t at = 0; at < 8; ++at) {
    for (const TypeParam value : {TypeParam{0}, TypeParam{1}, Limits::min(), Limits::max()}) {
      store(room.data() + at, value);
      EXPECT_EQ(load<TypeParam>(room.data() + at), value);
    }
  }
}

TEST(Bytes, Are_Little_Endian) {
  std::array<std::byte, 6> room{};
  store<std::uint32_t>(room.data() + 1, 0x01020304);
  const std::array expected = {std::byte{0}, std::byte{4}, std::byte{3},
                               std::byte{2}, std::byte{1}, std::byte{0}};
  EXPECT_EQ(room, expected);
  EXPECT_EQ(load<std::uint16_t>(room.data() + 1), 0x0304);
}

TEST(Bytes, View_Text_Without_Copying_It) {
  const std::string_view text("a\0b", 3);
  const ByteView bytes = as_bytes(text);
  EXPECT_EQ(static_cast<const void*>(bytes.data()), static_cast<const void*>(text.data()));
  EXPECT_EQ(bytes.size(), 3U);
  EXPECT_EQ(as_text(bytes), text);
  EXPECT_TRUE(as_text(ByteView{}).empty());
}

}  // namespace
}  // namespace sluice::base
