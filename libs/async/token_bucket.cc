#include "libs/async/token_bucket.h"

#include <algorithm>
#include <limits>

#include "libs/base/assert.h"

namespace sluice::async {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::int64_t kTicksPerNs = 16;
constexpr std::uint64_t kTicksPerSecond = 1'000'000'000ULL * kTicksPerNs;
// Two years of debt; nobody waits that long, and sums stay far from overflowing.
constexpr std::int64_t kTicksMax = std::int64_t{1} << 60;

std::int64_t ticks_of(base::MonotonicTime time) {
  return std::min(time.time_since_epoch().count(), kTicksMax / kTicksPerNs) * kTicksPerNs;
}

base::MonotonicTime time_of(std::int64_t ticks) {
  return base::MonotonicTime(base::Duration((ticks + kTicksPerNs - 1) / kTicksPerNs));
}

}  // namespace

TokenBucket::TokenBucket(std::uint64_t rate, std::uint64_t burst) noexcept
    : full_at_(-kTicksMax), rate_(rate), burst_(burst) {
  ASSERT(rate >= 1 && rate <= kRateMax);
  ASSERT(burst >= 1 && burst <= rate * kBurstSeconds);
}

TokenBucket::Ticks TokenBucket::cost(std::uint64_t n) const noexcept {
  const std::uint64_t rate = this->rate();
  const Wide ticks = (Wide{n} * kTicksPerSecond + (rate - 1)) / rate;
  return ticks > static_cast<Wide>(kTicksMax) ? kTicksMax : static_cast<Ticks>(ticks);
}

std::int64_t TokenBucket::tokens_in(Ticks ticks) const noexcept {
  const bool negative = ticks < 0;
  const auto size = static_cast<std::uint64_t>(negative ? -ticks : ticks);
  Wide tokens = Wide{size} * rate();
  if (negative) tokens += kTicksPerSecond - 1;  // a debt is rounded up, what is there down
  tokens /= kTicksPerSecond;
  const auto most = static_cast<Wide>(std::numeric_limits<std::int64_t>::max());
  const auto count = static_cast<std::int64_t>(std::min(tokens, most));
  return negative ? -count : count;
}

TokenBucket::Taken TokenBucket::try_take(std::uint64_t n, base::MonotonicTime now) noexcept {
  const Ticks at = ticks_of(now);
  const Ticks price = cost(n);
  // What may be missing of a full bucket and still let n pass; of more than the burst, nothing.
  const Ticks may_miss = std::max<Ticks>(0, tolerance() - price);
  Ticks seen = full_at_.load(std::memory_order_relaxed);
  for (;;) {
    if (seen - may_miss > at) return {false, time_of(seen - may_miss)};
    const Ticks next = std::max(seen, at) + price;
    if (full_at_.compare_exchange_weak(seen, next, std::memory_order_relaxed)) return {true, now};
  }
}

std::uint64_t TokenBucket::take_up_to(std::uint64_t n, base::MonotonicTime now) noexcept {
  const Ticks at = ticks_of(now);
  const Ticks most = tolerance();
  Ticks seen = full_at_.load(std::memory_order_relaxed);
  for (;;) {
    const Ticks from = std::max(seen, at);
    const std::int64_t there = tokens_in(at + most - from);
    if (there <= 0) return 0;
    const std::uint64_t taken = std::min(n, static_cast<std::uint64_t>(there));
    const Ticks next = from + cost(taken);
    if (full_at_.compare_exchange_weak(seen, next, std::memory_order_relaxed)) return taken;
  }
}

base::MonotonicTime TokenBucket::take_in_debt(std::uint64_t n, base::MonotonicTime now) noexcept {
  const Ticks at = ticks_of(now);
  const Ticks price = cost(n);
  const Ticks may_miss = std::max<Ticks>(0, tolerance() - price);
  Ticks seen = full_at_.load(std::memory_order_relaxed);
  for (;;) {
    const Ticks next = std::min(std::max(seen, at) + price, 2 * kTicksMax);
    if (!full_at_.compare_exchange_weak(seen, next, std::memory_order_relaxed)) continue;
    return std::max(now, time_of(seen - may_miss));
  }
}

void TokenBucket::give_back(std::uint64_t n) noexcept {
  full_at_.fetch_sub(cost(n), std::memory_order_relaxed);
}

std::int64_t TokenBucket::level(base::MonotonicTime now) const noexcept {
  const Ticks at = ticks_of(now);
  return tokens_in(at + tolerance() - std::max(full_at_.load(std::memory_order_relaxed), at));
}

bool TokenBucket::full(base::MonotonicTime now) const noexcept {
  return full_at_.load(std::memory_order_relaxed) <= ticks_of(now);
}

void TokenBucket::reshape(std::uint64_t rate, std::uint64_t burst,
                          base::MonotonicTime now) noexcept {
  ASSERT(rate >= 1 && rate <= kRateMax);
  ASSERT(burst >= 1 && burst <= rate * kBurstSeconds);
  const std::int64_t kept = std::min(level(now), static_cast<std::int64_t>(burst));
  rate_.store(rate, std::memory_order_relaxed);
  burst_.store(burst, std::memory_order_relaxed);
  const Ticks worth =
      kept < 0 ? -cost(static_cast<std::uint64_t>(-kept)) : cost(static_cast<std::uint64_t>(kept));
  full_at_.store(ticks_of(now) + tolerance() - worth, std::memory_order_relaxed);
}

}  // namespace sluice::async
