// fuzz_ladder.cc: is every text either refused with a reason or a ladder that is written back?

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "broker/queue/ladder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::queue;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto ladder = parse_ladder(text);
  if (!ladder) {
    if (ladder.error().detail.empty() || ladder.error().detail.size() > 400) std::abort();
    return 0;
  }
  const std::string written = format_ladder(*ladder);
  const auto again = parse_ladder(written);
  if (!again || format_ladder(*again) != written || again->size != ladder->size) std::abort();
  for (std::size_t i = 0; i < ladder->size; ++i) {
    if (again->steps[i].kind != ladder->steps[i].kind) std::abort();
    if (again->steps[i].duration != ladder->steps[i].duration) std::abort();
    if (again->steps[i].by_key != ladder->steps[i].by_key) std::abort();
  }
  return 0;
}
