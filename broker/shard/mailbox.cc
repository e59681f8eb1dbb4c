#include "broker/shard/mailbox.h"

#include <algorithm>
#include <utility>

#include "libs/base/assert.h"

namespace sluice::shard {

void Copies::add(const Copies& other) {
  matched += other.matched;
  accepted += other.accepted;
  spilled += other.spilled;
  dropped += other.dropped;
  rejected += other.rejected;
  expired += other.expired;
  cancelled += other.cancelled;
  unlisted += other.unlisted;
  pressure = std::max(pressure, other.pressure);
  retry_after = std::max(retry_after, other.retry_after);
  for (const Refusal& refusal : other.refusals) {
    refuse(refusal.subscription, refusal.copies, refusal.reason);
  }
}

void Copies::drop(std::string subscription, std::uint64_t count, wire::GapReason reason) {
  dropped += count;
  if (reason == wire::GapReason::kExpired) expired += count;
  if (reason == wire::GapReason::kCancelled) cancelled += count;
  refuse(std::move(subscription), count, static_cast<std::uint16_t>(reason));
}

void Copies::refuse(std::string subscription, std::uint64_t copies, std::uint16_t reason) {
  for (Refusal& known : refusals) {
    if (known.subscription == subscription && known.reason == reason) {
      known.copies += copies;
      return;
    }
  }
  if (refusals.size() < kMaxRefusals) {
    refusals.push_back({std::move(subscription), copies, reason});
  } else {
    ++unlisted;
  }
}

base::ErrorCode Copies::reason_of_refusal() const {
  ASSERT(!refusals.empty());
  constexpr auto kTooLarge = base::ErrorCode::kMessageTooLarge;
  const bool hopeless = std::any_of(refusals.begin(), refusals.end(), [](const Refusal& one) {
    return one.reason == static_cast<std::uint16_t>(kTooLarge);
  });
  return hopeless ? kTooLarge : static_cast<base::ErrorCode>(refusals.front().reason);
}

base::ErrorCode Copies::reason_of_loss() const {
  ASSERT(!refusals.empty() && accepted == 0);
  if (expired == matched) return base::ErrorCode::kDeadlineExceeded;
  if (cancelled == matched) return base::ErrorCode::kCanceled;
  const bool hopeless = std::all_of(refusals.begin(), refusals.end(), [](const Refusal& one) {
    return one.reason == static_cast<std::uint16_t>(wire::GapReason::kTooLarge);
  });
  return hopeless && unlisted == 0 ? base::ErrorCode::kMessageTooLarge : base::ErrorCode::kNotTaken;
}

bool LetterRing::try_put(std::vector<Letter>& letters) {
  const std::size_t written = written_.load(std::memory_order_relaxed);
  if (written - read_.load(std::memory_order_acquire) == kRingEntries) return false;
  // The entry's own vector is empty but has kept its memory, which goes back to the writer.
  std::swap(entries_[written % kRingEntries], letters);
  written_.store(written + 1, std::memory_order_release);
  return true;
}

bool LetterRing::try_take(std::vector<Letter>& letters) {
  DASSERT(letters.empty());
  const std::size_t read = read_.load(std::memory_order_relaxed);
  if (read == written_.load(std::memory_order_acquire)) return false;
  std::swap(entries_[read % kRingEntries], letters);
  read_.store(read + 1, std::memory_order_release);
  return true;
}

bool LetterRing::empty() const noexcept {
  return read_.load(std::memory_order_acquire) == written_.load(std::memory_order_acquire);
}

PostOffice::PostOffice(std::uint16_t shard_count)
    : shard_count_(shard_count),
      rings_(std::make_unique<LetterRing[]>(std::size_t{shard_count} * shard_count)),
      bells_(std::make_unique<Bell[]>(shard_count)) {
  ASSERT(shard_count >= 1 && shard_count <= model::kMaxShards);
}

void PostOffice::set_wake(model::ShardId shard, std::function<void()> wake) {
  bells_[shard.value()].wake = std::move(wake);
}

Mail::Mail(PostOffice& office, model::ShardId self)
    : office_(office), self_(self), outgoing_(office.shard_count_) {}

bool Mail::flush() {
  bool all_left = true;
  const auto shards = static_cast<std::uint16_t>(outgoing_.size());
  for (std::uint16_t to = 0; to < shards; ++to) {
    if (outgoing_[to].empty()) continue;
    if (!office_.ring(self_, model::ShardId(to)).try_put(outgoing_[to])) {
      ++refusals_;
      all_left = false;
    }
    PostOffice::Bell& bell = office_.bells_[to];
    // Both sides exchange, and the later one sees all that was before the earlier: either the
    // receiver sees the entry, or we see the bell silent and ring it.
    if (!bell.rung.exchange(true, std::memory_order_acq_rel)) {
      ++wakeups_;
      bell.wake();
    }
  }
  return all_left;
}

void Mail::begin_receive() {
  office_.bells_[self_.value()].rung.exchange(false, std::memory_order_acq_rel);
}

bool Mail::take_next() {
  incoming_.clear();
  next_unread_ = 0;
  const auto shards = static_cast<std::uint16_t>(outgoing_.size());
  for (std::uint16_t i = 1; i <= shards; ++i) {
    const auto from = static_cast<std::uint16_t>((incoming_from_.value() + i) % shards);
    if (from == self_.value()) continue;
    if (!office_.ring(model::ShardId(from), self_).try_take(incoming_)) continue;
    incoming_from_ = model::ShardId(from);
    return true;
  }
  return false;
}

std::size_t Mail::waiting() const noexcept {
  std::size_t count = 0;
  for (const auto& letters : outgoing_) count += letters.size();
  return count;
}

}  // namespace sluice::shard
