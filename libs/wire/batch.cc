#include "libs/wire/batch.h"

// One source uses the hash, so it is compiled into this one: short batches are not a call away.
#define XXH_INLINE_ALL
#include <string>
#include <xxhash.h>

#include "libs/base/assert.h"
#include "libs/wire/batch_layout.h"

namespace sluice::wire {
namespace {

using base::ErrorCode;
using base::load;
using base::store;

tl::unexpected<base::Error> bad_batch(std::string detail) {
  return base::fail(ErrorCode::kBadBatch, std::move(detail));
}

/// What the header alone can tell; `batch` holds at least a header.
base::Status check_header(const BatchHeader& header, ByteView batch, std::uint32_t max_records) {
  const std::byte* at = batch.data();
  if (load<std::uint32_t>(at + kAtMagic) != kBatchMagic) return bad_batch("magic at byte 0");
  if (header.length != batch.size()) {
    return bad_batch("length at byte 4 is " + std::to_string(header.length) + ", the batch has " +
                     std::to_string(batch.size()) + " bytes");
  }
  if ((load<std::uint8_t>(at + kAtReserved8) | load<std::uint16_t>(at + kAtReserved16) |
       load<std::uint32_t>(at + kAtReserved32)) != 0) {
    return base::fail(ErrorCode::kReservedBits, "batch header at bytes 37 to 39 or 76 to 79");
  }
  if (header.count == 0 || header.count > kMaxBatchMessages) {
    return bad_batch("message count at byte 32 is " + std::to_string(header.count) +
                     ", allowed are 1 to 65536");
  }
  if (header.compression > Compression::kZstd) {
    return bad_batch("compression at byte 36 is " +
                     std::to_string(static_cast<unsigned>(header.compression)));
  }
  if (header.producer_sequence > UINT64_MAX - header.count) {
    return bad_batch("producer sequence at byte 48 overflows");
  }
  if (header.records_bytes > max_records) {
    return bad_batch("bytes of the records at byte 72 are " + std::to_string(header.records_bytes) +
                     ", at most " + std::to_string(max_records));
  }
  if (header.records_bytes < kMinRecordBytes * header.count) {
    return bad_batch("bytes of the records at byte 72 are too few for the message count");
  }
  const std::size_t behind = batch.size() - kBatchHeaderBytes;
  if (header.compression == Compression::kNone ? behind != header.records_bytes : behind == 0) {
    return bad_batch("bytes of the records at byte 72 are " + std::to_string(header.records_bytes) +
                     ", behind the header are " + std::to_string(behind));
  }
  return {};
}

}  // namespace

BatchHeader read_batch_header(ByteView batch) noexcept {
  ASSERT(batch.size() >= kBatchHeaderBytes);
  const std::byte* at = batch.data();
  return {.length = load<std::uint32_t>(at + kAtLength),
          .base_sequence = load<std::uint64_t>(at + kAtBaseSequence),
          .broker_time_ns = load<std::uint64_t>(at + kAtBrokerTime),
          .checksum = load<std::uint64_t>(at + kAtChecksum),
          .count = load<std::uint32_t>(at + kAtCount),
          .compression = static_cast<Compression>(load<std::uint8_t>(at + kAtCompression)),
          .producer_id = load<std::uint64_t>(at + kAtProducerId),
          .producer_sequence = load<std::uint64_t>(at + kAtProducerSequence),
          .publisher_time_ns = load<std::uint64_t>(at + kAtPublisherTime),
          .earliest_deadline_ns = load<std::uint64_t>(at + kAtEarliestDeadline),
          .records_bytes = load<std::uint32_t>(at + kAtRecordsBytes)};
}

void write_batch_header(std::byte* at, const BatchHeader& header) noexcept {
  store(at + kAtMagic, kBatchMagic);
  store(at + kAtLength, header.length);
  store(at + kAtBaseSequence, header.base_sequence);
  store(at + kAtBrokerTime, header.broker_time_ns);
  store(at + kAtCount, header.count);
  store(at + kAtCompression, static_cast<std::uint8_t>(header.compression));
  store(at + kAtReserved8, std::uint8_t{0});
  store(at + kAtReserved16, std::uint16_t{0});
  store(at + kAtProducerId, header.producer_id);
  store(at + kAtProducerSequence, header.producer_sequence);
  store(at + kAtPublisherTime, header.publisher_time_ns);
  store(at + kAtEarliestDeadline, header.earliest_deadline_ns);
  store(at + kAtRecordsBytes, header.records_bytes);
  store(at + kAtReserved32, std::uint32_t{0});
}

std::uint64_t batch_checksum(ByteView batch) noexcept {
  return XXH3_64bits(batch.data() + kAtCount, batch.size() - kAtCount);
}

base::Result<BatchHeader> check_batch(ByteView batch, std::uint32_t max_records_bytes) {
  if (batch.size() < kBatchHeaderBytes) {
    return bad_batch("a batch of " + std::to_string(batch.size()) +
                     " bytes is shorter than its header");
  }
  const BatchHeader header = read_batch_header(batch);
  if (auto status = check_header(header, batch, max_records_bytes); !status) {
    return base::fail(std::move(status.error()));
  }
  if (batch_checksum(batch) != header.checksum) return base::fail(ErrorCode::kBadChecksum);
  if (header.compression == Compression::kNone) {
    if (auto status = check_records_of(header, batch.subspan(kBatchHeaderBytes)); !status) {
      return base::fail(std::move(status.error()));
    }
  }
  return header;
}

void fill_broker_fields(std::byte* batch, std::uint64_t base_sequence,
                        std::uint64_t broker_time_ns) noexcept {
  store(batch + kAtBaseSequence, base_sequence);
  store(batch + kAtBrokerTime, broker_time_ns);
}

void number_batch(base::MutableByteView batch, std::uint64_t producer_id,
                  std::uint64_t producer_sequence) noexcept {
  ASSERT(batch.size() >= kBatchHeaderBytes);
  store(batch.data() + kAtProducerId, producer_id);
  store(batch.data() + kAtProducerSequence, producer_sequence);
  store(batch.data() + kAtChecksum, batch_checksum(batch));
}

void make_slice_header(std::byte* header, const BatchHeader& original, ByteView records,
                       std::uint32_t first, std::uint32_t count) noexcept {
  BatchHeader slice = original;
  slice.length = static_cast<std::uint32_t>(kBatchHeaderBytes + records.size());
  slice.records_bytes = static_cast<std::uint32_t>(records.size());
  slice.count = count;
  slice.compression = Compression::kNone;
  slice.producer_sequence += first;
  if (slice.base_sequence != 0) slice.base_sequence += first;
  if (slice.earliest_deadline_ns != 0) {
    slice.earliest_deadline_ns = earliest_deadline(records, count);
  }
  write_batch_header(header, slice);
  XXH3_state_t hash;
  XXH3_64bits_reset(&hash);
  XXH3_64bits_update(&hash, header + kAtCount, kBatchHeaderBytes - kAtCount);
  XXH3_64bits_update(&hash, records.data(), records.size());
  store(header + kAtChecksum, XXH3_64bits_digest(&hash));
}

}  // namespace sluice::wire
