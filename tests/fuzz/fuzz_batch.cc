// A batch, as a peer sends it: as it came, and with length and checksum made right so that what is
// behind them is reached. What passes must be walked, cut and built again to the same bytes.

#include <algorithm>
#include <cstring>

#include "libs/base/assert.h"
#include "libs/wire/batch.h"
#include "libs/wire/batch_layout.h"

namespace sluice::wire {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint32_t kMaxRecords = 1U << 20;

void add_again(BatchBuilder& builder, const RecordView& record) {
  RecordInput input{
      .key = record.key, .payload = record.payload, .deadline_ns = record.deadline_ns};
  HeaderCursor headers(record);
  std::string_view name;
  std::string_view value;
  while (headers.next(name, value)) input.headers.emplace_back(name, value);
  ASSERT(input.headers.size() == record.header_count);
  builder.add(input);
}

/// Every record once; all of them built again are the same bytes.
void check_walk(ByteView records, const BatchHeader& header) {
  ASSERT(skip_records(records.data(), header.count) == records.size());
  BatchBuilder builder;
  ByteView rest = records;
  for (std::uint32_t i = 0; i < header.count; ++i) {
    const std::size_t left = rest.size();
    const std::size_t bytes = record_bytes(rest.data());
    const RecordView record = take_record(rest);
    ASSERT(left - rest.size() == bytes);
    add_again(builder, record);
  }
  ASSERT(rest.empty());
  const Bytes again = builder.finish({});
  ASSERT(std::ranges::equal(records, ByteView(again).subspan(kBatchHeaderBytes)));
  ASSERT(read_batch_header(again).earliest_deadline_ns == header.earliest_deadline_ns);
}

/// The middle of the batch, as a batch of its own.
void check_slice(ByteView records, const BatchHeader& header) {
  const std::uint32_t first = header.count / 3;
  const std::uint32_t count = std::max(1U, header.count / 2);
  const std::size_t start = skip_records(records.data(), first);
  const ByteView cut = records.subspan(start, skip_records(records.data() + start, count));
  Bytes slice(kBatchHeaderBytes);
  make_slice_header(slice.data(), header, cut, first, count);
  slice.insert(slice.end(), cut.begin(), cut.end());
  const auto checked = check_batch(slice, kMaxRecords);
  ASSERT(checked && checked->count == count);
}

void check(ByteView batch) {
  const auto header = check_batch(batch, kMaxRecords);
  if (!header) return;
  Bytes storage;
  const auto records = batch_records(batch, storage);
  ASSERT(storage.capacity() <= kMaxRecords);
  if (!records) return;
  ASSERT(records->size() == header->records_bytes);
  check_walk(*records, *header);
  check_slice(*records, *header);
}

void run(ByteView input) {
  check(input);
  if (input.size() < kBatchHeaderBytes) return;
  Bytes repaired(input.begin(), input.end());
  const auto compression = base::load<std::uint8_t>(repaired.data() + kAtCompression);
  base::store(repaired.data() + kAtMagic, kBatchMagic);
  base::store(repaired.data() + kAtLength, static_cast<std::uint32_t>(repaired.size()));
  base::store(repaired.data() + kAtReserved8, std::uint8_t{0});
  base::store(repaired.data() + kAtReserved16, std::uint16_t{0});
  base::store(repaired.data() + kAtReserved32, std::uint32_t{0});
  if (compression == 0) {
    base::store(repaired.data() + kAtRecordsBytes,
                static_cast<std::uint32_t>(repaired.size() - kBatchHeaderBytes));
  }
  base::store(repaired.data() + kAtChecksum, batch_checksum(repaired));
  check(repaired);
}

}  // namespace
}  // namespace sluice::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::wire::run(std::as_bytes(std::span(data, size)));
  return 0;
}
