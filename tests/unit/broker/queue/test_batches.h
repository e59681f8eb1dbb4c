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

inline base::SharedBytes make_batch(const std::vector<std::uint32_t>& sizes, bool compressed) {
  std::vector<std::byte> bytes(wire::kBatchHeaderBytes);
  for (const std::uint32_t size : sizes) {
    ASSERT(size >= 2 && size <= 128);
    bytes.push_back(static_cast<std::byte>(size - 1));
    bytes.resize(bytes.size() + size - 1);
  }
  base::store(&bytes[0], wire::kBatchMagic);
  base::store(&bytes[4], static_cast<std::uint32_t>(bytes.size()));
  base::store(&bytes[32], static_cast<std::uint32_t>(sizes.size()));
  bytes[36] = std::byte{compressed};
  return base::SharedBytes::copy_of(bytes);
}

inline model::Slice make_slice(const std::vector<std::uint32_t>& sizes, bool compressed = false) {
  const base::SharedBytes batch = make_batch(sizes, compressed);
  return model::Slice::whole(batch, {}, wire::read_batch_header(batch.view()));
}

}  // namespace sluice::queue::testing
