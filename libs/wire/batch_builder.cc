#include <algorithm>
#include <cstring>
#include <limits>

#include "libs/base/assert.h"
#include "libs/wire/batch.h"
#include "libs/wire/batch_compression.h"
#include "libs/wire/batch_layout.h"
#include "libs/wire/varint.h"

namespace sluice::wire {
namespace {

/// Bytes of a record behind its size.
std::size_t inner_bytes(const RecordInput& input) noexcept {
  std::size_t bytes = 1 + input.payload.size();
  if (!input.key.empty()) bytes += varint_bytes(input.key.size()) + input.key.size();
  if (!input.headers.empty()) {
    bytes += varint_bytes(input.headers.size());
    for (const auto& [name, value] : input.headers) {
      bytes += varint_bytes(name.size()) + name.size();
      bytes += varint_bytes(value.size()) + value.size();
    }
  }
  if (input.deadline_ns != 0) bytes += sizeof input.deadline_ns;
  return bytes;
}

std::byte* put_bytes(std::byte* at, ByteView bytes) noexcept {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

std::byte* put_sized(std::byte* at, ByteView bytes) noexcept {
  return put_bytes(put_varint(at, bytes.size()), bytes);
}

std::uint8_t attributes_of(const RecordInput& input) noexcept {
  return static_cast<std::uint8_t>((input.key.empty() ? 0 : kAttributeKey) |
                                   (input.headers.empty() ? 0 : kAttributeHeaders) |
                                   (input.deadline_ns == 0 ? 0 : kAttributeDeadline));
}

}  // namespace

std::size_t encoded_record_bytes(const RecordInput& input) noexcept {
  const std::size_t inner = inner_bytes(input);
  return varint_bytes(inner) + inner;
}

void BatchBuilder::begin() {
  if (!bytes_.empty()) return;
  bytes_.reserve(std::max(last_bytes_, kBatchHeaderBytes));
  bytes_.resize(kBatchHeaderBytes);
}

void BatchBuilder::add(ByteView payload) {
  ASSERT(count_ < kMaxBatchMessages);
  begin();
  const std::size_t inner = 1 + payload.size();
  const std::size_t start = bytes_.size();
  bytes_.resize(start + varint_bytes(inner) + inner);
  std::byte* at = put_varint(bytes_.data() + start, inner);
  *at++ = std::byte{0};
  put_bytes(at, payload);
  ++count_;
}

void BatchBuilder::add(const RecordInput& input) {
  ASSERT(count_ < kMaxBatchMessages);
  ASSERT(input.headers.size() <= kMaxHeaders);
  begin();
  const std::size_t inner = inner_bytes(input);
  const std::size_t start = bytes_.size();
  bytes_.resize(start + varint_bytes(inner) + inner);
  std::byte* at = put_varint(bytes_.data() + start, inner);
  *at++ = static_cast<std::byte>(attributes_of(input));
  if (!input.key.empty()) at = put_sized(at, input.key);
  if (!input.headers.empty()) {
    at = put_varint(at, input.headers.size());
    for (const auto& [name, value] : input.headers) {
      at = put_sized(put_sized(at, base::as_bytes(name)), base::as_bytes(value));
    }
  }
  if (input.deadline_ns != 0) {
    base::store(at, input.deadline_ns);
    at += sizeof input.deadline_ns;
    earliest_deadline_ns_ = std::min(earliest_deadline_ns_ - 1, input.deadline_ns - 1) + 1;
  }
  at = put_bytes(at, input.payload);
  DASSERT(at == bytes_.data() + bytes_.size());
  ++count_;
}

std::vector<std::byte> BatchBuilder::finish(const Options& options) {
  ASSERT(count_ != 0);
  ASSERT(bytes_.size() <= std::numeric_limits<std::uint32_t>::max());
  BatchHeader header{.count = count_,
                     .producer_id = options.producer_id,
                     .producer_sequence = options.producer_sequence,
                     .publisher_time_ns = options.publisher_time_ns,
                     .earliest_deadline_ns = earliest_deadline_ns_};
  header.records_bytes = static_cast<std::uint32_t>(bytes_.size() - kBatchHeaderBytes);
  std::vector<std::byte> done;
  if (options.compression != Compression::kNone &&
      compress_records(options.compression, bytes_, done)) {
    header.compression = options.compression;
  } else {
    last_bytes_ = bytes_.size();
    done = std::move(bytes_);
  }
  header.length = static_cast<std::uint32_t>(done.size());
  write_batch_header(done.data(), header);
  base::store(done.data() + kAtChecksum, batch_checksum(done));
  clear();
  return done;
}

void BatchBuilder::clear() noexcept {
  bytes_.clear();
  count_ = 0;
  earliest_deadline_ns_ = 0;
}

}  // namespace sluice::wire
