#include "libs/wire/batch_compression.h"

#include <gtest/gtest.h>
#include <lz4.h>
#include <string>
#include <zstd.h>

#include "libs/base/random.h"
#include "libs/wire/batch_layout.h"
#include "tests/unit/libs/wire/samples.h"

namespace sluice::wire {
namespace {

using base::ErrorCode;
using samples::Bytes;
using samples::sample_batch;

constexpr std::uint32_t kMax = 1U << 20;

class BatchCompression : public testing::TestWithParam<Compression> {};

Bytes records_of(const Bytes& batch) {
  std::vector<std::byte> storage;
  const auto records = batch_records(batch, storage);
  EXPECT_TRUE(records) << records.error().message();
  return records ? Bytes(records->begin(), records->end()) : Bytes{};
}

/// A batch header before `stored`, which are records compressed in whatever way.
Bytes around(const Bytes& stored, Compression compression, std::uint32_t records_bytes,
             std::uint32_t count) {
  Bytes batch(kBatchHeaderBytes);
  batch.insert(batch.end(), stored.begin(), stored.end());
  write_batch_header(batch.data(), {.length = static_cast<std::uint32_t>(batch.size()),
                                    .count = count,
                                    .compression = compression,
                                    .records_bytes = records_bytes});
  base::store(batch.data() + kAtChecksum, batch_checksum(batch));
  return batch;
}

Bytes zstd(const Bytes& from) {
  Bytes to(ZSTD_compressBound(from.size()));
  to.resize(ZSTD_compress(to.data(), to.size(), from.data(), from.size(), 1));
  return to;
}

Bytes lz4(const Bytes& from) {
  Bytes to(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(from.size()))));
  to.resize(static_cast<std::size_t>(LZ4_compress_default(
      reinterpret_cast<const char*>(from.data()), reinterpret_cast<char*>(to.data()),
      static_cast<int>(from.size()), static_cast<int>(to.size()))));
  return to;
}

Bytes compressed(const Bytes& from, Compression compression) {
  return compression == Compression::kZstd ? zstd(from) : lz4(from);
}

std::string error_of(const Bytes& batch) {
  std::vector<std::byte> storage;
  EXPECT_TRUE(check_batch(batch, kMax)) << check_batch(batch, kMax).error().message();
  const auto records = batch_records(batch, storage);
  if (records) return "accepted";
  return std::string(records.error().info().name) + ": " + records.error().detail;
}

TEST_P(BatchCompression, RecordsAreReadBack) {
  const Bytes plain = sample_batch();
  const Bytes batch = sample_batch(GetParam());
  const auto header = check_batch(batch, kMax);
  ASSERT_TRUE(header);
  EXPECT_EQ(GetParam(), header->compression);
  EXPECT_LT(batch.size(), plain.size());
  EXPECT_EQ(plain.size() - kBatchHeaderBytes, header->records_bytes);
  EXPECT_EQ(records_of(plain), records_of(batch));
}

TEST_P(BatchCompression, IsLeftOutWhereItDoesNotHelp) {
  base::Random random(1);
  Bytes payload(100);
  for (std::byte& byte : payload) byte = std::byte(random.below(256));
  BatchBuilder builder;
  builder.add(payload);
  const Bytes batch = builder.finish({.compression = GetParam()});
  EXPECT_EQ(Compression::kNone, check_batch(batch, kMax)->compression);
}

TEST_P(BatchCompression, EveryFlippedBitIsRefusedOrTheBrokers) {
  const Bytes good = sample_batch(GetParam());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[at] ^= std::byte(1U << bit);
      const bool brokers = at >= kAtBaseSequence && at < kAtChecksum;
      EXPECT_EQ(brokers, check_batch(bad, kMax).has_value()) << at << " " << bit;
    }
  }
}

TEST_P(BatchCompression, FlippedBitsUnderAGoodChecksumAreRefusedOrHarmless) {
  const Bytes good = sample_batch(GetParam());
  for (std::size_t at = kBatchHeaderBytes; at < good.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[at] ^= std::byte(1U << bit);
      base::store(bad.data() + kAtChecksum, batch_checksum(bad));
      std::vector<std::byte> storage;
      const auto records = batch_records(bad, storage);
      if (records) {
        EXPECT_TRUE(check_records(*records, 3));
      }
    }
  }
}

TEST_P(BatchCompression, ACutBlockIsRefused) {
  const Bytes stored = compressed(records_of(sample_batch()), GetParam());
  const auto size = static_cast<std::uint32_t>(records_of(sample_batch()).size());
  for (std::size_t cut = 1; cut < stored.size(); ++cut) {
    const Bytes part(stored.begin(), stored.begin() + static_cast<std::ptrdiff_t>(cut));
    const std::string error = error_of(around(part, GetParam(), size, 3));
    EXPECT_EQ(0U, error.find("decompression: ")) << cut << " " << error;
  }
}

TEST_P(BatchCompression, TheRecordsInsideAreChecked) {
  const Bytes overrun(200, std::byte{100});
  EXPECT_EQ("reserved-bits: attributes of a record at byte 1 of the records",
            error_of(around(compressed(overrun, GetParam()), GetParam(), 200, 3)));
  const Bytes twelve(24, std::byte{1});  // a key that is cut off
  EXPECT_EQ("bad-batch: a key at byte 2 of the records",
            error_of(around(compressed(twelve, GetParam()), GetParam(), 24, 12)));
}

INSTANTIATE_TEST_SUITE_P(Both, BatchCompression,
                         testing::Values(Compression::kLz4, Compression::kZstd),
                         [](const auto& tested) {
                           return tested.param == Compression::kLz4 ? "Lz4" : "Zstd";
                         });

TEST(BatchCompressionBounds, AClaimOverTheLimitIsRefusedOnEntry) {
  const Bytes zeros(100'000);
  const Bytes batch = around(zstd(zeros), Compression::kZstd, 100'000, 1);
  EXPECT_TRUE(check_batch(batch, 100'000));
  const auto checked = check_batch(batch, 99'999);
  ASSERT_FALSE(checked);
  EXPECT_EQ("bytes of the records at byte 72 are 100000, at most 99999", checked.error().detail);
}

TEST(BatchCompressionBounds, ZstdMustSayTheSameSizeAsTheBatch) {
  const Bytes stored = zstd(Bytes(100'000));
  EXPECT_EQ("decompression: zstd: the content size is not 99999",
            error_of(around(stored, Compression::kZstd, 99'999, 1)));
  EXPECT_EQ("decompression: zstd: the content size is not 100001",
            error_of(around(stored, Compression::kZstd, 100'001, 1)));
  std::vector<std::byte> storage;
  ASSERT_FALSE(batch_records(around(stored, Compression::kZstd, 99'999, 1), storage));
  EXPECT_EQ(0U, storage.capacity());  // refused before there was room for it
}

TEST(BatchCompressionBounds, ZstdIsOneFrame) {
  Bytes twice = zstd(Bytes(50));
  const Bytes once = twice;
  twice.insert(twice.end(), once.begin(), once.end());
  EXPECT_EQ("decompression: zstd: not one whole frame",
            error_of(around(twice, Compression::kZstd, 50, 1)));
}

TEST(BatchCompressionBounds, Lz4ThatCannotGrowSoMuchIsRefusedWithoutRoom) {
  const Bytes stored = lz4(Bytes(1000));
  const auto most = static_cast<std::uint32_t>(stored.size() * 255);
  EXPECT_NE(
      std::string::npos,
      error_of(around(stored, Compression::kLz4, most + 255, 1)).find("bytes cannot come of"));
  EXPECT_EQ("decompression: lz4: 1000 bytes instead of 1001",
            error_of(around(stored, Compression::kLz4, 1001, 1)));
  EXPECT_EQ("decompression: lz4: not a block of at most 999 bytes",
            error_of(around(stored, Compression::kLz4, 999, 1)));
  std::vector<std::byte> storage;
  ASSERT_FALSE(batch_records(around(stored, Compression::kLz4, most + 255, 1), storage));
  EXPECT_EQ(0U, storage.capacity());
}

}  // namespace
}  // namespace sluice::wire
