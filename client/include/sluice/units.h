// units.h: sizes and durations as people write them: "64MiB", "250ms".
//
// Thread:   any.
// Errors:   kBadArgument, saying what was expected.

#pragma once

#include "libs/base/units.h"

namespace sluice {

using base::format_duration;
using base::format_size;
using base::human_duration;
using base::human_size;
using base::parse_duration;
using base::parse_size;

}  // namespace sluice
