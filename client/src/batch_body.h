// batch_body.h: what does a received batch consist of?
//
// Owner:    shared by every MessageBatch and Message of it. It keeps the receive pool alive, so
// that
//           messages may outlive the client.
// Thread:   immutable once made.

#pragma once

#include <cstdint>
#include <memory>
#include <sluice/error.h>
#include <string>
#include <vector>

#include "libs/base/slab.h"
#include "libs/wire/frame_reader.h"
#include "libs/wire/frames.h"

namespace sluice::detail {

/// The pool that the I/O thread reads into.
struct ReceiveMemory {
  static constexpr std::size_t kSlabBytes = 256U << 10;
  static constexpr std::size_t kIdleSlabs = 16;
  base::SlabPool pool{kSlabBytes, kIdleSlabs};
};

struct BatchBody {
  std::shared_ptr<ReceiveMemory> memory;  // first: goes last
  base::SharedBytes frame;
  std::vector<std::byte> decompressed;     // holds the records of a compressed batch
  std::shared_ptr<const BatchBody> whole;  // of a part: keeps what its records lie in
  std::shared_ptr<const std::string> topic;
  ByteView records;  // of the messages meant, checked
  std::uint32_t count = 0;
  std::uint64_t first_sequence = 0;
  WallTime published_at{};
};

/// Checks a delivered batch and finds its part that is meant. Errors: those of check_batch,
/// kBadFrame.
Result<std::shared_ptr<const BatchBody>> make_batch_body(
    const std::shared_ptr<ReceiveMemory>& memory, const wire::Frame& frame,
    const wire::Deliver& deliver, std::shared_ptr<const std::string> topic);

}  // namespace sluice::detail
