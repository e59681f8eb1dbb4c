// batch_layout.h: where does each field of a batch stand?
//
// Private to this folder; batch.h describes the fields.
//
// Thread:   any; no state.
// Source:   docs/formats/wire.md, section Batch.
// Tests:    tests/unit/libs/wire/batch_test.cc

#pragma once

#include <cstddef>
#include <cstdint>

#include "libs/wire/batch.h"

namespace sluice::wire {

inline constexpr std::size_t kAtMagic = 0;
inline constexpr std::size_t kAtLength = 4;
inline constexpr std::size_t kAtBaseSequence = 8;
inline constexpr std::size_t kAtBrokerTime = 16;
inline constexpr std::size_t kAtChecksum = 24;
inline constexpr std::size_t kAtCount = 32;  // the checksum covers everything from here
inline constexpr std::size_t kAtCompression = 36;
inline constexpr std::size_t kAtReserved8 = 37;
inline constexpr std::size_t kAtReserved16 = 38;
inline constexpr std::size_t kAtProducerId = 40;
inline constexpr std::size_t kAtProducerSequence = 48;
inline constexpr std::size_t kAtPublisherTime = 56;
inline constexpr std::size_t kAtEarliestDeadline = 64;
inline constexpr std::size_t kAtRecordsBytes = 72;
inline constexpr std::size_t kAtReserved32 = 76;

inline constexpr std::uint8_t kAttributeKey = 0x01;
inline constexpr std::uint8_t kAttributeHeaders = 0x02;
inline constexpr std::uint8_t kAttributeDeadline = 0x04;
inline constexpr std::uint8_t kAttributesAll = 0x07;

/// A record is at least its size and its attributes.
inline constexpr std::size_t kMinRecordBytes = 2;

/// Writes everything of a batch's header but its checksum.
void write_batch_header(std::byte* at, const BatchHeader& header) noexcept;

/// XXH3-64 of a batch that lies in one piece. Requires: at least 80 bytes.
std::uint64_t batch_checksum(ByteView batch) noexcept;

/// The earliest deadline of `count` checked records; 0 when none has one.
std::uint64_t earliest_deadline(ByteView records, std::uint32_t count) noexcept;

/// check_records, and that their earliest deadline is the one the batch's header gives.
base::Status check_records_of(const BatchHeader& header, ByteView records);

}  // namespace sluice::wire
