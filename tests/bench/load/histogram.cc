#include "tests/bench/load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::bench {
namespace {

constexpr unsigned kStepBits = 7;
constexpr std::uint64_t kSteps = 1U << kStepBits;
// Values under kSteps have an index each; every further power of two has kSteps.
constexpr std::size_t kIndexes = kSteps * (64 - kStepBits + 1);

}  // namespace

Histogram::Histogram() : counts_(kIndexes) {}

std::size_t Histogram::index_of(std::uint64_t value) noexcept {
  if (value < kSteps) return value;
  const auto octave = static_cast<unsigned>(std::bit_width(value)) - 1 - kStepBits;
  return (octave << kStepBits) + (value >> octave);
}

std::uint64_t Histogram::highest_in(std::size_t index) noexcept {
  if (index < kSteps) return index;
  const std::size_t octave = (index >> kStepBits) - 1;
  const std::uint64_t step = index - (octave << kStepBits);
  return ((step + 1) << octave) - 1;
}

std::uint64_t Histogram::percentile(double percent) const noexcept {
  if (total_ == 0) return 0;
  const double wanted = std::ceil(percent / 100.0 * static_cast<double>(total_));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(highest_in(i), max_);
  }
  return max_;
}

}  // namespace sluice::bench
