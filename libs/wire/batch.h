// batch.h: the unit of wire, queue, disk and replication; what is in it, and is it whole?
//
// A batch is an 80-byte header and its records, the same bytes everywhere:
//
//    0  u32  magic "SLB1"
//    4  u32  length: all bytes of the batch, this header included
//    8  u64  base sequence            filled by the broker; 0 from a publisher
//   16  u64  broker time, ns          filled by the broker; 0 from a publisher
//   24  u64  XXH3-64 of everything from byte 32 to the end
//   32  u32  message count, at least 1
//   36  u8   compression: 0 none, 1 lz4, 2 zstd
//   37  u8   reserved, 0
//   38  u16  reserved, 0
//   40  u64  producer id              0: not idempotent
//   48  u64  producer sequence        of the first message
//   56  u64  publisher's time, ns
//   64  u64  earliest deadline of its messages, ns; 0 none
//   72  u32  bytes of the records when not compressed
//   76  u32  reserved, 0
//   80       records, compressed as one block where compression says so
//
// A record is varint size (of what follows), u8 attributes, then by attribute: bit 0 key (varint
// size, bytes), bit 1 headers (varint count, each name and value with varint sizes), bit 2 deadline
// (u64 ns); the rest is payload. A record's bytes in every bound and credit are all of these.
//
// Owner:    views borrow the bytes; BatchBuilder owns what it builds.
// Thread:   values; any thread.
// Limits:   kMaxBatchMessages; 64 headers per message; records bound by the frame's maximum, also
//           when decompressed.
// Errors:   kBadBatch (what, at which byte), kBadChecksum, kDecompression, kReservedBits.
// Source:   docs/formats/wire.md, section Batch; XXH3: https://github.com/Cyan4973/xxHash
// Tests:    tests/unit/libs/wire/batch_test.cc, tests/conformance, tests/fuzz/fuzz_batch.cc

#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/bytes.h"
#include "libs/base/result.h"

namespace sluice::wire {

using base::ByteView;

inline constexpr std::uint32_t kBatchMagic = 0x31424C53;  // "SLB1"
inline constexpr std::size_t kBatchHeaderBytes = 80;
inline constexpr std::uint32_t kMaxBatchMessages = 65536;
inline constexpr std::size_t kMaxHeaders = 64;

enum class Compression : std::uint8_t { kNone = 0, kLz4 = 1, kZstd = 2 };

struct BatchHeader {
  std::uint32_t length = 0;
  std::uint64_t base_sequence = 0;
  std::uint64_t broker_time_ns = 0;
  std::uint64_t checksum = 0;
  std::uint32_t count = 0;
  Compression compression = Compression::kNone;
  std::uint64_t producer_id = 0;
  std::uint64_t producer_sequence = 0;
  std::uint64_t publisher_time_ns = 0;
  std::uint64_t earliest_deadline_ns = 0;
  std::uint32_t records_bytes = 0;
};

/// Reads the header alone; no check but that 80 bytes are there (an assertion).
BatchHeader read_batch_header(ByteView batch) noexcept;

/// Checks everything a peer could have got wrong, once, on entry: header, length against
/// batch.size(), checksum, and (when not compressed) every record in one walk. `max_records_bytes`
/// bounds what a compressed batch may claim. A compressed batch's records are checked by whoever
/// decompresses it.
base::Result<BatchHeader> check_batch(ByteView batch, std::uint32_t max_records_bytes);

/// Fills the two fields that are the broker's. They stand outside the checksum.
void fill_broker_fields(std::byte* batch, std::uint64_t base_sequence,
                        std::uint64_t broker_time_ns) noexcept;

/// Bytes of the record at the front of `records`, its size prefix included.
/// Requires: records that check_batch or check_records has passed, not at the end.
inline std::size_t record_bytes(const std::byte* records) noexcept {
  std::uint64_t value = 0;
  std::size_t i = 0;
  for (unsigned shift = 0;; shift += 7, ++i) {
    const auto byte = static_cast<std::uint8_t>(records[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value + i + 1;
  }
}

/// Bytes of the first `count` records at `records`. Requires: checked records, that many of them.
std::size_t skip_records(const std::byte* records, std::uint32_t count) noexcept;

/// Checks `count` records that fill `records` exactly.
base::Status check_records(ByteView records, std::uint32_t count);

/// One message as it stands in a batch. All fields are views.
struct RecordView {
  ByteView key{};
  ByteView payload{};
  std::uint64_t deadline_ns = 0;
  std::uint32_t header_count = 0;
  ByteView headers{};  // encoded; walk them with HeaderCursor
};

/// Reads the record at the front of `records` and moves past it. Requires: checked records.
RecordView take_record(ByteView& records) noexcept;

/// The headers of a record, one after another.
class HeaderCursor {
 public:
  explicit HeaderCursor(const RecordView& record) noexcept
      : rest_(record.headers), left_(record.header_count) {}
  /// False at the end; else fills both views.
  bool next(std::string_view& name, std::string_view& value) noexcept;

 private:
  ByteView rest_;
  std::uint32_t left_;
};

/// The records of a checked batch: a view into `batch` when it is not compressed, else
/// decompressed into `storage` and checked. Errors: kDecompression, kBadBatch.
base::Result<ByteView> batch_records(ByteView batch, std::vector<std::byte>& storage);

/// What a message is made of when it is written.
struct RecordInput {
  ByteView key{};  // empty: none
  ByteView payload{};
  std::uint64_t deadline_ns = 0;
  std::vector<std::pair<std::string_view, std::string_view>> headers{};
};

/// Bytes the record of `input` takes in a batch.
std::size_t encoded_record_bytes(const RecordInput& input) noexcept;

/// Collects records and makes a batch of them. Reusable; reserves as much as the last batch had.
class BatchBuilder {
 public:
  struct Options {
    Compression compression = Compression::kNone;
    std::uint64_t producer_id = 0;
    std::uint64_t producer_sequence = 0;
    std::uint64_t publisher_time_ns = 0;
  };

  /// Appends one message. Requires: count() < kMaxBatchMessages, at most kMaxHeaders headers.
  void add(const RecordInput& input);
  /// The fast way for a message that is a payload alone.
  void add(ByteView payload);

  std::uint32_t count() const noexcept { return count_; }
  /// Bytes of the batch if it were finished now without compression.
  std::size_t size() const noexcept {
    return bytes_.size() < kBatchHeaderBytes ? kBatchHeaderBytes : bytes_.size();
  }
  bool empty() const noexcept { return count_ == 0; }

  /// Completes the batch and hands it over; the builder is empty again. Requires: not empty().
  /// Compresses only if that makes it smaller.
  std::vector<std::byte> finish(const Options& options);
  void clear() noexcept;

 private:
  void begin();

  std::vector<std::byte> bytes_;  // header space, then records
  std::size_t last_bytes_ = 0;    // of the batch before, reserved for the next
  std::uint32_t count_ = 0;
  std::uint64_t earliest_deadline_ns_ = 0;
};

/// Gives a batch without numbers those of its producer, and the checksum that goes with them.
void number_batch(base::MutableByteView batch, std::uint64_t producer_id,
                  std::uint64_t producer_sequence) noexcept;

/// Writes into `header` (80 bytes) the header of a batch that holds only the `count` uncompressed
/// records `records` of `original`, with its own length and checksum: how a part of a batch is
/// sent without sending all of it. Not idempotent (producer sequence is advanced by `first`).
void make_slice_header(std::byte* header, const BatchHeader& original, ByteView records,
                       std::uint32_t first, std::uint32_t count) noexcept;

}  // namespace sluice::wire
