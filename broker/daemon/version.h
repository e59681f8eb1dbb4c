// version.h: which build is this?
//
// Thread:   constants.

#pragma once

#include <string_view>

namespace sluice::daemon {

inline constexpr std::string_view kVersion = SLUICE_VERSION;

}  // namespace sluice::daemon
