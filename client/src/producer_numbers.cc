#include "client/src/producer_numbers.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "libs/base/assert.h"
#include "libs/wire/batch.h"

namespace sluice::detail {
namespace {

// The messages first to first + count - 1 of a batch, as a batch.
std::vector<std::byte> part_of(ByteView batch, std::uint32_t first, std::uint32_t count) {
  const wire::BatchHeader header = wire::read_batch_header(batch);
  ASSERT(header.compression == wire::Compression::kNone);
  const ByteView records = batch.subspan(wire::kBatchHeaderBytes);
  const std::size_t begin = wire::skip_records(records.data(), first);
  const auto bytes = static_cast<std::uint32_t>(wire::skip_records(records.data() + begin, count));
  const ByteView meant = records.subspan(begin, bytes);
  std::vector<std::byte> part(wire::kBatchHeaderBytes + bytes);
  std::memcpy(part.data() + wire::kBatchHeaderBytes, meant.data(), bytes);
  wire::make_slice_header(part.data(), header, meant, first, count);
  return part;
}

// Leaves the first `count` messages in `batch` and returns the others.
OutBatch cut(OutBatch& batch, std::uint32_t count) {
  ASSERT(batch.waiters.empty() && batch.ticket == nullptr);  // those stand alone
  OutBatch rest;
  rest.topic = batch.topic;
  rest.deadline_ns = batch.deadline_ns;
  rest.messages = batch.messages - count;
  rest.bytes = part_of(batch.bytes, count, rest.messages);
  batch.bytes = part_of(batch.bytes, 0, count);
  batch.messages = count;
  const std::size_t records = batch.bytes.size() - wire::kBatchHeaderBytes;
  rest.reserved_bytes = batch.reserved_bytes - std::min(records, batch.reserved_bytes);
  batch.reserved_bytes -= rest.reserved_bytes;
  return rest;
}

}  // namespace

Status ProducerNumbers::on_open(const wire::Welcome& welcome) {
  if (id_ == 0) return {};
  if (welcome.producer_next > kMaxProducerSequence) {
    return base::fail(ErrorCode::kBadArgument, "the numbers of this producer are used up");
  }
  epoch_ = welcome.producer_epoch;
  taken_ = welcome.producer_next;
  if (next_ == 0) next_ = std::max<std::uint64_t>(1, taken_);
  return {};
}

std::optional<OutBatch> ProducerNumbers::number(OutBatch& batch) {
  ASSERT(batch.sequence == 0 && next_ != 0);
  std::optional<OutBatch> rest;
  if (next_ < taken_ && taken_ - next_ < batch.messages) {
    rest = cut(batch, static_cast<std::uint32_t>(taken_ - next_));
  }
  batch.sequence = next_;
  next_ += batch.messages;
  wire::number_batch(batch.bytes, id_, batch.sequence);
  batch.numbered = std::make_shared<const std::vector<std::byte>>(std::move(batch.bytes));
  batch.bytes.clear();
  return rest;
}

}  // namespace sluice::detail
