// test_batches.h: batches whose records have the sizes a test wants.
//
// Written byte by byte after libs/wire/batch.h: only what a queue looks at is filled in.
//
// Thread:   any; no state.
// Units:    record sizes in bytes, the size prefix included: 2 to 128.

#pragma once

#include <cstdint>
#include <vector>

#include "broker/model/slice.h"
#include "libs/base/assert.h"
#include "libs/base/bytes.h"

namespace sluice::queue::testing {

/// With `deadlines`, in nanoseconds of any clock, 0 for none, records have 10 bytes at least; with
/// `keys`, numbers from 1, 0 for none, two more.
inline base::SharedBytes make_batch(const std::vector<std::uint32_t>& sizes, bool compressed,
                                    const std::vector<std::int64_t>& deadlines = {},
                                    const std::vector<int>& keys = {}) {
  std::vector<std::byte> bytes(wire::kBatchHeaderBytes);
  std::int64_t earliest = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::uint32_t size = sizes[i];
    const std::int64_t deadline = deadlines.empty() ? 0 : deadlines[i];
    const int key = keys.empty() ? 0 : keys[i];
    ASSERT(size >= (deadline != 0 ? 10U : 2U) + (key != 0 ? 2U : 0U) && size <= 128);
    const std::size_t at = bytes.size();
    bytes.resize(at + size);
    bytes[at] = static_cast<std::byte>(size - 1);
    if (key != 0) {
      bytes[at + 1] |= std::byte{1};
      bytes[at + 2] = std::byte{1};
      bytes[at + 3] = static_cast<std::byte>(key);
    }
    if (deadline == 0) continue;
    bytes[at + 1] |= std::byte{4};
    base::store(&bytes[at + (key != 0 ? 4 : 2)], static_cast<std::uint64_t>(deadline));
    if (earliest == 0 || deadline < earliest) earliest = deadline;
  }
  base::store(&bytes[64], static_cast<std::uint64_t>(earliest));
  base::store(&bytes[0], wire::kBatchMagic);
  base::store(&bytes[4], static_cast<std::uint32_t>(bytes.size()));
  base::store(&bytes[32], static_cast<std::uint32_t>(sizes.size()));
  bytes[36] = std::byte{compressed};
  return base::SharedBytes::copy_of(bytes);
}

/// Deadlines are taken for times of the monotonic clock, counted from its start.
inline model::Slice make_slice(const std::vector<std::uint32_t>& sizes, bool compressed = false,
                               const std::vector<std::int64_t>& deadlines = {},
                               const std::vector<int>& keys = {}) {
  const base::SharedBytes batch = make_batch(sizes, compressed, deadlines, keys);
  const wire::BatchHeader header = wire::read_batch_header(batch.view());
  model::Slice slice = model::Slice::whole(batch, {}, header);
  if (header.earliest_deadline_ns != 0) {
    slice.earliest_deadline =
        base::MonotonicTime(base::Duration(static_cast<std::int64_t>(header.earliest_deadline_ns)));
  }
  return slice;
}

}  // namespace sluice::queue::testing
