#include "broker/model/slice.h"

#include <gtest/gtest.h>
#include <string>

#include "libs/base/random.h"

namespace sluice::model {
namespace {

// A plain batch of payloads of these sizes, as the wire library writes it.
Slice plain_slice(const std::vector<std::size_t>& payloads) {
  wire::BatchBuilder builder;
  for (const std::size_t size : payloads) builder.add(base::as_bytes(std::string(size, 'x')));
  const base::SharedBytes batch = base::SharedBytes::copy_of(builder.finish({}));
  return Slice::whole(batch, {}, wire::read_batch_header(batch.view()));
}

// Only the header of a compressed batch is ever looked at here.
Slice compressed_slice(std::uint32_t count, std::uint32_t packed_bytes) {
  std::vector<std::byte> bytes(wire::kBatchHeaderBytes + packed_bytes);
  base::store(&bytes[4], static_cast<std::uint32_t>(bytes.size()));
  base::store(&bytes[32], count);
  bytes[36] = std::byte{1};
  const base::SharedBytes batch = base::SharedBytes::copy_of(bytes);
  return Slice::whole(batch, {}, wire::read_batch_header(batch.view()));
}

TEST(Slice, OfAWholeBatchCoversEverything) {
  const Slice slice = plain_slice({10, 20, 30});
  EXPECT_FALSE(slice.compressed());
  EXPECT_EQ(slice.first, 0U);
  EXPECT_EQ(slice.count, 3U);
  EXPECT_EQ(slice.offset, wire::kBatchHeaderBytes);
  EXPECT_EQ(slice.records + wire::kBatchHeaderBytes, slice.batch.size());
  EXPECT_EQ(slice.bytes_of_first(0), 0U);
  EXPECT_EQ(slice.bytes_of_first(1), 12U);  // size, attributes, payload
  EXPECT_EQ(slice.bytes_of_first(2), 34U);
  EXPECT_EQ(slice.bytes_of_first(3), slice.records);
}

TEST(Slice, CountsWhatIsWithinALimit) {
  const Slice slice = plain_slice({10, 20, 30});
  EXPECT_EQ(slice.count_within(0), 0U);
  EXPECT_EQ(slice.count_within(11), 0U);
  EXPECT_EQ(slice.count_within(12), 1U);
  EXPECT_EQ(slice.count_within(33), 1U);
  EXPECT_EQ(slice.count_within(34), 2U);
  EXPECT_EQ(slice.count_within(65), 2U);
  EXPECT_EQ(slice.count_within(66), 3U);
  EXPECT_EQ(slice.count_within(UINT64_MAX), 3U);
}

TEST(Slice, SplitsAtAMessage) {
  Slice rest = plain_slice({10, 20, 30, 300});
  const Slice front = rest.split_front(2);
  EXPECT_EQ(front.first, 0U);
  EXPECT_EQ(front.count, 2U);
  EXPECT_EQ(front.records, 34U);
  EXPECT_EQ(rest.first, 2U);
  EXPECT_EQ(rest.count, 2U);
  EXPECT_EQ(rest.offset, wire::kBatchHeaderBytes + 34);
  EXPECT_EQ(rest.bytes_of_first(1), 32U);
  EXPECT_EQ(rest.batch.data(), front.batch.data());
}

TEST(Slice, CompressedMessagesCountEvenSharesThatSumExactly) {
  Slice rest = compressed_slice(7, 100);
  EXPECT_TRUE(rest.compressed());
  EXPECT_EQ(rest.records, 100U);
  std::uint32_t sum = 0;
  for (std::uint32_t i = 0; i < 6; ++i) {
    const Slice front = rest.split_front(1);
    EXPECT_EQ(front.first, i);
    EXPECT_NEAR(front.records, 14.3, 1.0);
    sum += front.records;
  }
  EXPECT_EQ(sum + rest.records, 100U);
}

// The two ways to ask agree, in plain and compressed slices, wherever they are cut.
TEST(Slice, CountWithinIsTheMostThatFits) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    base::Random random(seed);
    std::vector<std::size_t> payloads(1 + random.below(20));
    for (std::size_t& size : payloads) size = random.below(200);
    const auto count = static_cast<std::uint32_t>(payloads.size());
    Slice slice = random.below(2) == 0
                      ? plain_slice(payloads)
                      : compressed_slice(count, static_cast<std::uint32_t>(random.below(500)));
    if (slice.count > 1) slice.split_front(1 + static_cast<std::uint32_t>(random.below(count - 1)));
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t limit = random.below(slice.records + 10);
      const std::uint32_t within = slice.count_within(limit);
      ASSERT_LE(slice.bytes_of_first(within), limit);
      ASSERT_TRUE(within == slice.count || slice.bytes_of_first(within + 1) > limit);
    }
  }
}

TEST(Slice, HoldsItsTopic) {
  TopicNode node;
  Slice slice = plain_slice({1, 2});
  slice.topic = TopicRef(node);
  {
    const Slice front = slice.split_front(1);
    EXPECT_EQ(node.holders, 2U);
  }
  EXPECT_EQ(node.holders, 1U);
  slice = {};
  EXPECT_EQ(node.holders, 0U);
}

}  // namespace
}  // namespace sluice::model
