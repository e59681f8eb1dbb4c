#include "broker/model/slice.h"

#include "libs/base/assert.h"

namespace sluice::model {
namespace {

// Bytes of a compressed batch that messages [0, n) stand for.
std::uint64_t share_until(const base::SharedBytes& batch, std::uint32_t n) noexcept {
  const wire::BatchHeader header = wire::read_batch_header(batch.view());
  const std::uint64_t packed = header.length - wire::kBatchHeaderBytes;
  return packed * n / header.count;
}

}  // namespace

Slice Slice::whole(base::SharedBytes batch, TopicRef topic, const wire::BatchHeader& header) {
  const bool plain = header.compression == wire::Compression::kNone;
  Slice slice;
  slice.batch = std::move(batch);
  slice.topic = std::move(topic);
  slice.count = header.count;
  slice.offset = plain ? static_cast<std::uint32_t>(wire::kBatchHeaderBytes) : 0;
  slice.records = header.length - static_cast<std::uint32_t>(wire::kBatchHeaderBytes);
  return slice;
}

std::uint32_t Slice::bytes_of_first(std::uint32_t n) const noexcept {
  ASSERT(n <= count);
  if (n == count) return records;
  if (compressed()) {
    return static_cast<std::uint32_t>(share_until(batch, first + n) - share_until(batch, first));
  }
  return static_cast<std::uint32_t>(wire::skip_records(batch.data() + offset, n));
}

std::uint32_t Slice::count_within(std::uint64_t limit) const noexcept {
  if (records <= limit) return count;
  if (compressed()) {
    std::uint32_t fits = 0;
    for (std::uint32_t beyond = count; fits + 1 < beyond;) {
      const std::uint32_t middle = fits + (beyond - fits) / 2;
      (bytes_of_first(middle) <= limit ? fits : beyond) = middle;
    }
    return fits;
  }
  const std::byte* at = batch.data() + offset;
  std::uint32_t n = 0;
  for (std::uint64_t sum = 0; n < count; ++n) {
    const std::size_t bytes = wire::record_bytes(at);
    sum += bytes;
    if (sum > limit) break;
    at += bytes;
  }
  return n;
}

Slice Slice::split_front(std::uint32_t n) {
  ASSERT(n > 0 && n < count);
  const std::uint32_t bytes = bytes_of_first(n);
  Slice front = *this;
  front.count = n;
  front.records = bytes;
  first += n;
  count -= n;
  records -= bytes;
  if (!compressed()) offset += bytes;
  return front;
}

}  // namespace sluice::model
