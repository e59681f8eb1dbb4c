#include "client/src/hub.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "client/src/lane.h"
#include "libs/base/assert.h"
#include "libs/wire/batch.h"

namespace sluice::detail {

bool Hub::reserve(std::size_t bytes) noexcept {
  const std::size_t before = pending_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  if (before == 0 || before + bytes <= limits_.max_pending_bytes) return true;
  pending_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

void Hub::limit_batches(std::size_t bytes) noexcept {
  const std::size_t records = bytes - std::min(bytes, wire::kBatchHeaderBytes);
  max_message_bytes_ = std::min(limits_.max_message_bytes, records);
}

void Hub::release(std::size_t bytes) {
  const std::size_t before = pending_bytes_.fetch_sub(bytes);
  ASSERT(before >= bytes);
  if (before - bytes <= limits_.max_pending_bytes / 2) room_.set();
}

Status Hub::admission() const {
  if (!refusing_.load(std::memory_order_acquire)) return {};
  const std::lock_guard lock(mutex_);
  return base::fail(refusal_);
}

void Hub::refuse(Error reason) {
  {
    const std::lock_guard lock(mutex_);
    if (refusal_.code != ErrorCode::kNone && refusal_.code != ErrorCode::kDraining) return;
    refusal_ = std::move(reason);
    refusing_.store(true, std::memory_order_release);
  }
  room_.set();  // whoever waits for room learns the reason
}

// Called with the lock.
void Hub::wake() {
  if (woken_ || !wake_) return;
  woken_ = true;
  wake_();
}

void Hub::queue_lane(std::shared_ptr<Lane> lane) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      ready_.lanes.push_back(std::move(lane));
      return wake();
    }
  }
  lane->fail_waiting(admission().error());
}

void Hub::queue_credit(std::weak_ptr<SubscriptionCore> subscription) {
  const std::lock_guard lock(mutex_);
  ready_.credits.push_back(std::move(subscription));
  wake();
}

void Hub::queue_dropped(std::uint32_t subscription) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  ready_.dropped.push_back(subscription);
  wake();
}

void Hub::queue_withdrawal(WithdrawRequest request) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      ready_.withdrawals.push_back(std::move(request));
      return wake();
    }
  }
  request.slot->set(base::fail(admission().error()));
}

Hub::Ready Hub::take_ready() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  return std::exchange(ready_, {});
}

void Hub::attach(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

Hub::Ready Hub::close(Error reason) {
  refuse(std::move(reason));
  const std::lock_guard lock(mutex_);
  wake_ = nullptr;
  closed_ = true;
  return std::exchange(ready_, {});
}

void Hub::retire(const PublishTotals& totals) {
  const std::lock_guard lock(mutex_);
  add_totals(retired_, totals);
}

PublishTotals Hub::retired() const {
  const std::lock_guard lock(mutex_);
  return retired_;
}

void add_totals(PublishTotals& sum, const PublishTotals& more) {
  sum.messages += more.messages;
  sum.bytes += more.bytes;
  sum.answered += more.answered;
  sum.ok += more.ok;
  sum.unknown += more.unknown;
  sum.matched += more.matched;
  sum.accepted += more.accepted;
  sum.spilled += more.spilled;
  sum.dropped += more.dropped;
  sum.rejected += more.rejected;
  for (std::size_t i = 0; i < std::size(sum.by_status); ++i) sum.by_status[i] += more.by_status[i];
  sum.expired_later += more.expired_later;
  sum.withdrawn += more.withdrawn;
  sum.pressure = more.pressure;
}

}  // namespace sluice::detail
