// batch_compression.h: how do records become one compressed block?
//
// Private to this folder; reading compressed records is batch_records() of batch.h.
//
// Thread:   any; each thread keeps one zstd context, for its memory alone.
// Source:   RFC 8878 (zstd, one frame with its content size); LZ4 block format.
// Tests:    tests/unit/libs/wire/batch_compression_test.cc

#pragma once

#include <cstddef>
#include <vector>

#include "libs/wire/batch.h"

namespace sluice::wire {

/// Puts room for a header and the compressed records of `batch` (header space, then records) into
/// `out`. False when that would not be smaller; `out` is then of no use.
bool compress_records(Compression compression, ByteView batch, std::vector<std::byte>& out);

}  // namespace sluice::wire
