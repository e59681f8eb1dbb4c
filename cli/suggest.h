// suggest.h: which word was probably meant?
//
// Thread:   any.
// Tests:    tests/unit/cli/suggest_test.cc

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

/// `; did you mean 'status'?` for the candidate that is near enough to be meant, else empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sluice::cli
