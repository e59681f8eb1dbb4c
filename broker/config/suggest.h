// suggest.h: which word was probably meant?
//
// Thread:   any.
// Limits:   quadratic in the length of words; for words that people type.
// Tests:    tests/unit/broker/config/suggest_test.cc

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

/// Insertions, deletions, replacements and swaps of neighbours that turn `from` into `to`.
std::size_t edit_distance(std::string_view from, std::string_view to);

/// `; did you mean "shards"?` for the candidate that is near enough to be meant, else empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sluice::config
