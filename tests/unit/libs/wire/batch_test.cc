#include "libs/wire/batch.h"

#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <string>

#include "libs/base/random.h"
#include "libs/wire/batch_layout.h"
#include "tests/unit/libs/wire/samples.h"

namespace sluice::wire {
namespace {

using base::ErrorCode;
using samples::Bytes;
using samples::bytes_of;
using samples::sample_batch;

constexpr std::uint32_t kMax = 1U << 20;

/// Makes the checksum fit what was changed behind it.
void seal(Bytes& batch) { base::store(batch.data() + kAtChecksum, batch_checksum(batch)); }

Bytes of_payloads(const std::vector<std::string>& payloads) {
  BatchBuilder builder;
  for (const std::string& payload : payloads) builder.add(base::as_bytes(payload));
  return builder.finish({});
}

/// An uncompressed batch whose records are these bytes.
Bytes of_records(const Bytes& records, std::uint32_t count, std::uint64_t deadline = 0) {
  Bytes batch(kBatchHeaderBytes);
  batch.insert(batch.end(), records.begin(), records.end());
  write_batch_header(batch.data(), {.length = static_cast<std::uint32_t>(batch.size()),
                                    .count = count,
                                    .earliest_deadline_ns = deadline,
                                    .records_bytes = static_cast<std::uint32_t>(records.size())});
  seal(batch);
  return batch;
}

base::Error error_of(const Bytes& batch, std::uint32_t max_records = kMax) {
  const auto checked = check_batch(batch, max_records);
  return checked ? base::Error{ErrorCode::kNone, "accepted"} : checked.error();
}

/// The error of a batch of records given as bytes.
std::string records_error(std::initializer_list<int> bytes, std::uint32_t count = 1) {
  Bytes records;
  for (const int byte : bytes) records.push_back(static_cast<std::byte>(byte));
  return error_of(of_records(records, count)).detail;
}

std::string text_of(ByteView bytes) { return std::string(base::as_text(bytes)); }

TEST(Batch, HoldsWhatWasAdded) {
  const Bytes batch = sample_batch();
  const auto header = check_batch(batch, kMax);
  ASSERT_TRUE(header) << header.error().message();
  EXPECT_EQ(batch.size(), header->length);
  EXPECT_EQ(3U, header->count);
  EXPECT_EQ(0U, header->base_sequence);
  EXPECT_EQ(0U, header->broker_time_ns);
  EXPECT_EQ(Compression::kNone, header->compression);
  EXPECT_EQ(7U, header->producer_id);
  EXPECT_EQ(40U, header->producer_sequence);
  EXPECT_EQ(1'600'000'000'000'000'000U, header->publisher_time_ns);
  EXPECT_EQ(1'700'000'000'000'000'000U, header->earliest_deadline_ns);
  EXPECT_EQ(batch.size() - kBatchHeaderBytes, header->records_bytes);

  ByteView records = ByteView(batch).subspan(kBatchHeaderBytes);
  const RecordView first = take_record(records);
  EXPECT_EQ("first", text_of(first.payload));
  EXPECT_TRUE(first.key.empty());
  EXPECT_EQ(0U, first.header_count);
  EXPECT_EQ(0U, first.deadline_ns);
  const RecordView second = take_record(records);
  EXPECT_EQ("key", text_of(second.key));
  EXPECT_EQ(std::string(300, 'x'), text_of(second.payload));
  EXPECT_EQ(1'700'000'000'000'000'000U, second.deadline_ns);
  HeaderCursor headers(second);
  std::string_view name;
  std::string_view value;
  ASSERT_TRUE(headers.next(name, value));
  EXPECT_EQ("content-type", name);
  EXPECT_EQ("text/plain", value);
  ASSERT_TRUE(headers.next(name, value));
  EXPECT_EQ("", name);
  EXPECT_EQ("", value);
  EXPECT_FALSE(headers.next(name, value));
  EXPECT_TRUE(take_record(records).payload.empty());
  EXPECT_TRUE(records.empty());
}

TEST(Batch, EveryCombinationOfAttributesIsReadBack) {
  for (unsigned attributes = 0; attributes < 8; ++attributes) {
    RecordInput input{.payload = base::as_bytes("payload")};
    if ((attributes & 1) != 0) input.key = base::as_bytes("k");
    if ((attributes & 2) != 0) input.headers = {{"n", "v"}};
    if ((attributes & 4) != 0) input.deadline_ns = 99;
    BatchBuilder builder;
    builder.add(input);
    EXPECT_EQ(kBatchHeaderBytes + encoded_record_bytes(input), builder.size());
    const Bytes batch = builder.finish({});
    ASSERT_EQ("accepted", error_of(batch).detail);
    EXPECT_EQ(std::byte(attributes), batch[kBatchHeaderBytes + 1]);
    ByteView records = ByteView(batch).subspan(kBatchHeaderBytes);
    EXPECT_EQ(records.size(), record_bytes(records.data()));
    const RecordView view = take_record(records);
    EXPECT_EQ(text_of(input.key), text_of(view.key));
    EXPECT_EQ(input.headers.size(), view.header_count);
    EXPECT_EQ(input.deadline_ns, view.deadline_ns);
    EXPECT_EQ("payload", text_of(view.payload));
  }
}

TEST(Batch, PayloadsOfEverySizeOfVarintAreReadBack) {
  for (const std::size_t size :
       {0U, 1U, 126U, 127U, 128U, 16382U, 16383U, 16384U, 2097150U, 2097151U, 2097152U}) {
    const std::string payload(size, 'p');
    const Bytes batch = of_payloads({payload, "end"});
    ASSERT_TRUE(check_batch(batch, 4U << 20)) << size;
    ByteView records = ByteView(batch).subspan(kBatchHeaderBytes);
    EXPECT_EQ(record_bytes(records.data()), skip_records(records.data(), 1));
    EXPECT_EQ(records.size(), skip_records(records.data(), 2));
    EXPECT_EQ(payload, text_of(take_record(records).payload));
    EXPECT_EQ("end", text_of(take_record(records).payload));
  }
}

TEST(Batch, EveryFlippedBitIsRefusedOrTheBrokers) {
  const Bytes good = sample_batch();
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[at] ^= std::byte(1U << bit);
      const bool brokers = at >= kAtBaseSequence && at < kAtChecksum;
      EXPECT_EQ(brokers, check_batch(bad, kMax).has_value()) << at << " " << bit;
    }
  }
}

TEST(Batch, IsCheckedAtEveryLength) {
  const Bytes good = sample_batch();
  for (std::size_t size = 0; size < good.size(); ++size) {
    Bytes bad(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(ErrorCode::kBadBatch, error_of(bad).code) << size;
  }
  Bytes longer = good;
  longer.push_back(std::byte{0});
  EXPECT_EQ(ErrorCode::kBadBatch, error_of(longer).code);
}

TEST(Batch, RefusesHeadersWithTheReason) {
  const Bytes good = of_payloads({"hello", "world"});
  const auto after = [&]<typename Integer>(std::size_t at, Integer value) {
    Bytes bad = good;
    base::store(bad.data() + at, value);
    seal(bad);
    return error_of(bad).message();
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos ? "" : text;
  };
  EXPECT_EQ("", has(error_of({}).message(), "a batch of 0 bytes is shorter than its header"));
  EXPECT_EQ("", has(after(kAtMagic, 1U), "magic at byte 0"));
  EXPECT_EQ("", has(after(kAtLength, 93U), "length at byte 4 is 93, the batch has 94 bytes"));
  EXPECT_EQ("", has(after(kAtCount, 0U), "message count at byte 32 is 0, allowed are 1 to 65536"));
  EXPECT_EQ("", has(after(kAtCount, 65537U), "message count at byte 32 is 65537"));
  EXPECT_EQ("", has(after(kAtCompression, std::uint8_t{3}), "compression at byte 36 is 3"));
  EXPECT_EQ("", has(after(kAtReserved8, std::uint8_t{1}), "batch header at bytes 37"));
  EXPECT_EQ("", has(after(kAtReserved16, std::uint16_t{256}), "batch header at bytes 37"));
  EXPECT_EQ("", has(after(kAtReserved32, 1U), "batch header at bytes 37"));
  EXPECT_EQ("", has(after(kAtProducerSequence, std::numeric_limits<std::uint64_t>::max() - 1),
                    "producer sequence at byte 48 overflows"));
  EXPECT_EQ("", has(after(kAtEarliestDeadline, std::uint64_t{5}),
                    "earliest deadline at byte 64 is 5, in the records it is 0"));
  EXPECT_EQ("", has(after(kAtRecordsBytes, kMax + 1), "at byte 72 are 1048577, at most 1048576"));
  EXPECT_EQ("", has(after(kAtRecordsBytes, 3U), "too few for the message count"));
  EXPECT_EQ("", has(after(kAtRecordsBytes, 15U), "are 15, behind the header are 14"));
  EXPECT_EQ("", has(after(kAtCount, 1U), "the message count is not the number of records"));
  EXPECT_EQ("", has(after(kAtCount, 3U), "the message count is not the number of records"));
  Bytes wrong_sum = good;
  wrong_sum.back() ^= std::byte{1};
  EXPECT_EQ(ErrorCode::kBadChecksum, error_of(wrong_sum).code);
  EXPECT_EQ(ErrorCode::kNone, error_of(good, 14).code);
  EXPECT_EQ(ErrorCode::kBadBatch, error_of(good, 13).code);
}

TEST(Batch, RefusesRecordsWithTheReason) {
  const std::string size = "the size of a record at byte ";
  EXPECT_EQ("accepted", records_error({1, 0}));
  EXPECT_EQ(size + "0 of the records", records_error({0, 0}));           // no attributes
  EXPECT_EQ(size + "0 of the records", records_error({3, 0}));           // past the end
  EXPECT_EQ(size + "2 of the records", records_error({1, 0, 2, 0}, 2));  // past the end
  EXPECT_EQ(size + "0 of the records", records_error({0x81, 0, 0}));     // overlong
  EXPECT_EQ(size + "0 of the records", records_error({0x81, 0x80}));     // cut off
  EXPECT_EQ(size + "2 of the records", records_error({1, 0, 0x81}, 1));  // cut off
  EXPECT_EQ(size + "0 of the records", records_error({0x80, 0x80, 0x80, 0x80, 0x10, 0}));
  EXPECT_EQ(size + "0 of the records", records_error({0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0}));
  EXPECT_EQ(size + "0 of the records", records_error({0x80, 0x80, 0x80, 0x80, 0x80, 1, 0}));
  EXPECT_EQ("attributes of a record at byte 1 of the records", records_error({1, 8}));
  EXPECT_EQ("attributes of a record at byte 1 of the records", records_error({1, 0x80}));
  EXPECT_EQ("a key at byte 2 of the records", records_error({1, 1}));
  EXPECT_EQ("a key at byte 2 of the records", records_error({2, 1, 1}));
  EXPECT_EQ("an empty key at byte 2 of the records", records_error({2, 1, 0}));
  EXPECT_EQ("accepted", records_error({3, 1, 1, 'k'}));
  const std::string number = "the number of headers, allowed are 1 to 64 at byte 2 of the records";
  EXPECT_EQ(number, records_error({1, 2}));
  EXPECT_EQ(number, records_error({2, 2, 0}));
  EXPECT_EQ(number, records_error({2, 2, 65}));
  EXPECT_EQ("a header's name at byte 3 of the records", records_error({2, 2, 1}));
  EXPECT_EQ("a header's value at byte 4 of the records", records_error({3, 2, 1, 0}));
  EXPECT_EQ("a header's value at byte 4 of the records", records_error({4, 2, 1, 0, 1}));
  EXPECT_EQ("accepted", records_error({4, 2, 1, 0, 0}));
  EXPECT_EQ("a deadline at byte 2 of the records", records_error({8, 4, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ("a deadline of 0 at byte 2 of the records",
            records_error({9, 4, 0, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Batch, TheEarliestDeadlineMustBeTheRecords) {
  BatchBuilder builder;
  builder.add({.payload = {}, .deadline_ns = 500});
  builder.add({.payload = {}, .deadline_ns = 300});
  builder.add(ByteView{});
  builder.add({.payload = {}, .deadline_ns = 400});
  Bytes batch = builder.finish({});
  EXPECT_EQ(300U, check_batch(batch, kMax)->earliest_deadline_ns);
  for (const std::uint64_t wrong : {0, 299, 301, 400}) {
    base::store(batch.data() + kAtEarliestDeadline, wrong);
    seal(batch);
    EXPECT_EQ(
        "earliest deadline at byte 64 is " + std::to_string(wrong) + ", in the records it is 300",
        error_of(batch).detail);
  }
}

TEST(Batch, SixtyFourHeadersAreTakenAndNoMore) {
  const std::vector<std::pair<std::string_view, std::string_view>> most(kMaxHeaders, {"a", "b"});
  BatchBuilder builder;
  builder.add({.payload = base::as_bytes("p"), .headers = most});
  const Bytes batch = builder.finish({});
  ASSERT_EQ("accepted", error_of(batch).detail);
  ByteView records = ByteView(batch).subspan(kBatchHeaderBytes);
  const RecordView record = take_record(records);
  HeaderCursor headers(record);
  std::string_view name;
  std::string_view value;
  std::size_t count = 0;
  while (headers.next(name, value)) ++count;
  EXPECT_EQ(kMaxHeaders, count);
}

TEST(Batch, TheLargestNumberOfMessagesIsTaken) {
  BatchBuilder builder;
  for (std::uint32_t i = 0; i < kMaxBatchMessages; ++i) builder.add(ByteView{});
  const Bytes batch = builder.finish({});
  ASSERT_TRUE(check_batch(batch, kMax));
  EXPECT_EQ(batch.size() - kBatchHeaderBytes,
            skip_records(batch.data() + kBatchHeaderBytes, kMaxBatchMessages));
}

TEST(Batch, TheBrokersFieldsStandOutsideTheChecksum) {
  Bytes batch = sample_batch();
  fill_broker_fields(batch.data(), 1000, 2000);
  const auto header = check_batch(batch, kMax);
  ASSERT_TRUE(header);
  EXPECT_EQ(1000U, header->base_sequence);
  EXPECT_EQ(2000U, header->broker_time_ns);
}

TEST(Batch, IsNumberedAfterItWasMade) {
  BatchBuilder builder;
  builder.add(base::as_bytes("x"));
  const Bytes numbered = builder.finish({.producer_id = 7, .producer_sequence = 40});
  Bytes later = of_payloads({"x"});
  number_batch(later, 7, 40);
  EXPECT_EQ(later, numbered);
  ASSERT_TRUE(check_batch(later, kMax));
}

TEST(Batch, SlicesAreBatchesOfTheirOwn) {
  BatchBuilder builder;
  for (std::uint64_t i = 0; i < 10; ++i) {
    builder.add({.payload = base::as_bytes("message"), .deadline_ns = i < 3 ? 0 : 100 + i});
  }
  Bytes batch = builder.finish({.producer_id = 4, .producer_sequence = 50});
  fill_broker_fields(batch.data(), 500, 77);
  const BatchHeader whole = read_batch_header(batch);
  const ByteView records = ByteView(batch).subspan(kBatchHeaderBytes);
  for (std::uint32_t first = 0; first < 10; ++first) {
    for (std::uint32_t count = 1; first + count <= 10; ++count) {
      const std::size_t start = skip_records(records.data(), first);
      const std::size_t size = skip_records(records.data() + start, count);
      Bytes slice(kBatchHeaderBytes);
      make_slice_header(slice.data(), whole, records.subspan(start, size), first, count);
      const ByteView cut = records.subspan(start, size);
      slice.insert(slice.end(), cut.begin(), cut.end());
      const auto header = check_batch(slice, kMax);
      ASSERT_TRUE(header) << first << " " << count << " " << header.error().message();
      EXPECT_EQ(count, header->count);
      EXPECT_EQ(4U, header->producer_id);
      EXPECT_EQ(50U + first, header->producer_sequence);
      EXPECT_EQ(500U + first, header->base_sequence);
      EXPECT_EQ(77U, header->broker_time_ns);
      EXPECT_EQ(first + count <= 3 ? 0 : 100 + std::max(first, 3U), header->earliest_deadline_ns);
    }
  }
}

TEST(Batch, ASliceOfAllIsTheBatchItself) {
  const Bytes batch = sample_batch();
  Bytes header(kBatchHeaderBytes);
  make_slice_header(header.data(), read_batch_header(batch),
                    ByteView(batch).subspan(kBatchHeaderBytes), 0, 3);
  EXPECT_TRUE(std::equal(header.begin(), header.end(), batch.begin()));
}

TEST(Batch, HostileRecordsAreRefusedOrWalkedWhole) {
  base::Random random(20261125);
  std::size_t accepted = 0;
  for (int round = 0; round < 100'000; ++round) {
    Bytes records(2 + random.below(24));
    for (std::byte& byte : records) {
      // Small numbers make sizes that nearly fit.
      byte = std::byte(random.below(8) != 0 ? random.below(6) : random.below(256));
    }
    const auto count = static_cast<std::uint32_t>(1 + random.below(4));
    if (!check_records(records, count)) continue;
    ++accepted;
    ByteView rest = records;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::size_t size = record_bytes(rest.data());
      const std::size_t left = rest.size();
      take_record(rest);
      ASSERT_EQ(size, left - rest.size());
    }
    ASSERT_TRUE(rest.empty());
  }
  EXPECT_GT(accepted, 50U);
}

TEST(BatchBuilder, IsEmptyAgainAfterFinish) {
  BatchBuilder builder;
  EXPECT_TRUE(builder.empty());
  EXPECT_EQ(kBatchHeaderBytes, builder.size());
  builder.add({.payload = base::as_bytes("a"), .deadline_ns = 5});
  EXPECT_FALSE(builder.empty());
  EXPECT_EQ(1U, builder.count());
  const Bytes first = builder.finish({});
  EXPECT_TRUE(builder.empty());
  EXPECT_EQ(kBatchHeaderBytes, builder.size());
  builder.add(base::as_bytes("b"));
  const Bytes second = builder.finish({});
  EXPECT_EQ(of_payloads({"b"}), second);  // nothing of the first one is left
  EXPECT_EQ(5U, check_batch(first, kMax)->earliest_deadline_ns);
}

TEST(BatchBuilder, ClearForgetsWhatWasAdded) {
  BatchBuilder builder;
  builder.add({.payload = base::as_bytes("a"), .deadline_ns = 5});
  builder.clear();
  EXPECT_TRUE(builder.empty());
  builder.add(base::as_bytes("b"));
  EXPECT_EQ(of_payloads({"b"}), builder.finish({}));
}

TEST(BatchBuilder, TheFastWayWritesTheSameBytes) {
  BatchBuilder fast;
  BatchBuilder slow;
  fast.add(base::as_bytes("payload"));
  slow.add(RecordInput{.payload = base::as_bytes("payload")});
  EXPECT_EQ(slow.finish({}), fast.finish({}));
}

}  // namespace
}  // namespace sluice::wire
