#include "cli/suggest.h"

#include <algorithm>

namespace sluice::cli {
namespace {

// Levenshtein's distance, with a swap of neighbours counted as two.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[to.size()];
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  // Up to half of the letters, and never more than two, may be wrong.
  std::size_t best_distance = std::min<std::size_t>(word.size() / 2, 2) + 1;
  const std::string* best = nullptr;
  for (const std::string& candidate : candidates) {
    // The beginning of a longer word counts as one slip: "subscribe" for "sub", and the reverse.
    const bool is_beginning = word.size() >= 3 && candidate.size() >= 3 &&
                              (candidate.starts_with(word) || word.starts_with(candidate));
    const std::size_t edits = is_beginning ? 1 : distance(word, candidate);
    if (edits < best_distance) {
      best = &candidate;
      best_distance = edits;
    }
  }
  return best == nullptr ? std::string() : "; did you mean '" + *best + "'?";
}

}  // namespace sluice::cli
