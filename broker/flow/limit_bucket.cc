#include "broker/flow/limit_bucket.h"

#include <algorithm>
#include <utility>

#include "libs/base/assert.h"

namespace sluice::flow {

void LimitCounts::add(const LimitCounts& other) {
  passed_messages += other.passed_messages;
  passed_bytes += other.passed_bytes;
  delayed_messages += other.delayed_messages;
  refused_messages += other.refused_messages;
  observed_messages += other.observed_messages;
}

LimitBucket::LimitBucket(std::string key, const model::LimitSpec& spec) : key_(std::move(key)) {
  if (spec.messages_per_second != 0) {
    messages_.emplace(spec.messages_per_second, spec.messages_at_once());
  }
  if (spec.bytes_per_second != 0) bytes_.emplace(spec.bytes_per_second, spec.bytes_at_once());
}

std::optional<base::MonotonicTime> LimitBucket::try_take(std::uint64_t messages,
                                                         std::uint64_t bytes,
                                                         base::MonotonicTime now) {
  if (messages_) {
    const auto taken = messages_->try_take(messages, now);
    if (!taken.ok) return taken.when;
  }
  if (bytes_) {
    const auto taken = bytes_->try_take(bytes, now);
    if (!taken.ok) {
      if (messages_) messages_->give_back(messages);
      return taken.when;
    }
  }
  return std::nullopt;
}

base::MonotonicTime LimitBucket::take_in_debt(std::uint64_t messages, std::uint64_t bytes,
                                              base::MonotonicTime now) {
  base::MonotonicTime due = now;
  if (messages_) due = std::max(due, messages_->take_in_debt(messages, now));
  if (bytes_) due = std::max(due, bytes_->take_in_debt(bytes, now));
  return due;
}

void LimitBucket::give_back(std::uint64_t messages, std::uint64_t bytes) {
  if (messages_) messages_->give_back(messages);
  if (bytes_) bytes_->give_back(bytes);
}

std::uint32_t LimitBucket::take_front(const model::Slice& slice, std::uint32_t most,
                                      base::MonotonicTime now, base::MonotonicTime& when) {
  std::uint32_t count = most;
  if (messages_) {
    count = static_cast<std::uint32_t>(messages_->take_up_to(most, now));
    if (count == 0) {
      const auto one = messages_->try_take(1, now);
      when = one.when;
      if (!one.ok) return 0;
      count = 1;  // somebody gave some back meanwhile
    }
  }
  if (!bytes_) return count;
  const std::int64_t left = std::max<std::int64_t>(bytes_->level(now), 0);
  const std::uint32_t fit =
      std::clamp<std::uint32_t>(slice.count_within(static_cast<std::uint64_t>(left)), 1, count);
  const auto taken = bytes_->try_take(slice.bytes_of_first(fit), now);
  const std::uint32_t kept = taken.ok ? fit : 0;
  if (messages_ && kept != count) messages_->give_back(count - kept);
  when = taken.when;
  return kept;
}

std::uint64_t LimitBucket::take_within(std::uint64_t messages, std::uint64_t bytes,
                                       base::MonotonicTime now) {
  std::uint64_t within = messages;
  if (messages_) within = messages_->take_up_to(messages, now);
  if (!bytes_ || bytes == 0) return within;
  // Of messages of one size; nothing is held back, so an estimate is good enough.
  const double share =
      static_cast<double>(bytes_->take_up_to(bytes, now)) / static_cast<double>(bytes);
  return std::min(within, static_cast<std::uint64_t>(share * static_cast<double>(messages)));
}

bool LimitBucket::full(base::MonotonicTime now) const {
  return (!messages_ || messages_->full(now)) && (!bytes_ || bytes_->full(now));
}

std::optional<std::int64_t> LimitBucket::messages_left(base::MonotonicTime now) const {
  if (!messages_) return std::nullopt;
  return messages_->level(now);
}

std::optional<std::int64_t> LimitBucket::bytes_left(base::MonotonicTime now) const {
  if (!bytes_) return std::nullopt;
  return bytes_->level(now);
}

void LimitBucket::reshape(const model::LimitSpec& spec, base::MonotonicTime now) {
  ASSERT(messages_.has_value() == (spec.messages_per_second != 0));
  ASSERT(bytes_.has_value() == (spec.bytes_per_second != 0));
  if (messages_) messages_->reshape(spec.messages_per_second, spec.messages_at_once(), now);
  if (bytes_) bytes_->reshape(spec.bytes_per_second, spec.bytes_at_once(), now);
}

void LimitBucket::count_passed(std::uint64_t messages, std::uint64_t bytes) {
  bump(passed_messages_, messages);
  bump(passed_bytes_, bytes);
}

void LimitBucket::uncount_passed(std::uint64_t messages, std::uint64_t bytes) {
  passed_messages_.fetch_sub(messages, std::memory_order_relaxed);
  passed_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

LimitCounts LimitBucket::counts() const {
  LimitCounts out;
  out.passed_messages = passed_messages_.load(std::memory_order_relaxed);
  out.passed_bytes = passed_bytes_.load(std::memory_order_relaxed);
  out.delayed_messages = delayed_messages_.load(std::memory_order_relaxed);
  out.refused_messages = refused_messages_.load(std::memory_order_relaxed);
  out.observed_messages = observed_messages_.load(std::memory_order_relaxed);
  return out;
}

}  // namespace sluice::flow
