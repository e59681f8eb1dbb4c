#include "client/src/subscription_core.h"

#include <algorithm>
#include <utility>

#include "client/src/client_core.h"
#include "libs/base/assert.h"

namespace sluice::detail {

SubscriptionCore::SubscriptionCore(std::shared_ptr<Hub> hub, std::weak_ptr<ClientCore> client,
                                   std::uint32_t id, SubscribeOptions options)
    : hub_(std::move(hub)), client_(std::move(client)), id_(id), options_(std::move(options)) {}

SubscriptionCore::~SubscriptionCore() { hub_->queue_dropped(id_); }

Result<BatchItem> SubscriptionCore::try_take() {
  std::unique_lock lock(mutex_);
  if (partial_) {
    BatchItem rest = rest_of_partial();
    return rest;
  }
  std::optional<BatchItem> item = pop_front();
  if (!item) return base::fail(nothing_there());
  if (const auto* batch = std::get_if<MessageBatch>(&*item)) count_taken(*batch, lock);
  return std::move(*item);
}

Result<Item> SubscriptionCore::try_take_one() {
  std::unique_lock lock(mutex_);
  if (!partial_) {
    std::optional<BatchItem> item = pop_front();
    if (!item) return base::fail(nothing_there());
    if (auto* gap = std::get_if<Gap>(&*item)) return Item(std::move(*gap));
    if (auto* back = std::get_if<Reconnected>(&*item)) return Item(std::move(*back));
    MessageBatch& batch = std::get<MessageBatch>(*item);
    partial_.emplace(Partial{batch, batch.begin(), 0});
    count_taken(batch, lock);
    lock.lock();
  }
  Item one = partial_->batch.keep(*partial_->at);
  ++partial_->taken;
  if (partial_->taken == partial_->batch.size()) {
    partial_.reset();
  } else {
    ++partial_->at;
  }
  return one;
}

async::Task<Result<BatchItem>> SubscriptionCore::take(std::shared_ptr<SubscriptionCore> self,
                                                      async::Context context) {
  for (;;) {
    Result<BatchItem> item = self->try_take();
    if (item || item.error().code != ErrorCode::kWouldBlock) co_return item;
    const Status status = co_await self->arrived_.wait(context);
    if (!status) co_return base::fail(status.error());
  }
}

async::Task<Result<Item>> SubscriptionCore::take_one(std::shared_ptr<SubscriptionCore> self,
                                                     async::Context context) {
  for (;;) {
    Result<Item> item = self->try_take_one();
    if (item || item.error().code != ErrorCode::kWouldBlock) co_return item;
    const Status status = co_await self->arrived_.wait(context);
    if (!status) co_return base::fail(status.error());
  }
}

async::Task<Result<SubscriptionAccount>> SubscriptionCore::close(
    std::shared_ptr<SubscriptionCore> self, async::Context context) {
  const std::shared_ptr<ClientCore> client = self->client_.lock();
  if (client == nullptr) co_return base::fail(ErrorCode::kClosed);
  auto slot = std::make_shared<Slot<SubscriptionAccount>>();
  const Status posted = client->post([slot, id = self->id_](Engine& engine) {
    engine.unsubscribe(id,
                       [slot](const Result<SubscriptionAccount>& account) { slot->set(account); });
  });
  if (!posted) co_return base::fail(posted.error());
  Result<SubscriptionAccount> account =
      co_await Slot<SubscriptionAccount>::wait(std::move(slot), std::move(context));
  co_return account;
}

std::optional<BatchItem> SubscriptionCore::pop_front() {
  if (items_.empty()) return std::nullopt;
  BatchItem item = std::move(items_.front());
  items_.pop_front();
  if (items_.empty() && !ended_) arrived_.reset();
  return item;
}

BatchItem SubscriptionCore::rest_of_partial() {
  const Partial partial = std::move(*partial_);
  partial_.reset();
  return partial.batch.drop_first(partial.taken);
}

// Its messages hold no credit any more. Called with the lock, returns without it.
void SubscriptionCore::count_taken(const MessageBatch& batch, std::unique_lock<std::mutex>& lock) {
  waiting_messages_ -= batch.size();
  waiting_bytes_ -= batch.bytes();
  due_.messages += batch.size();
  due_.bytes += batch.bytes();
  const bool is_portion =
      due_.messages * 2 >= options_.credit_messages || due_.bytes * 2 >= options_.credit_bytes;
  const bool must_queue = is_portion && !ended_ && !std::exchange(credit_queued_, is_portion);
  lock.unlock();
  if (must_queue) hub_->queue_credit(weak_from_this());
}

Error SubscriptionCore::nothing_there() const {
  return ended_ ? *ended_ : Error{ErrorCode::kWouldBlock, "nothing has arrived"};
}

SubscriptionInfo SubscriptionCore::info() const {
  const std::lock_guard lock(mutex_);
  return info_;
}

std::size_t SubscriptionCore::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_messages_ + (partial_ ? partial_->batch.size() - partial_->taken : 0);
}

bool SubscriptionCore::has_ended() const {
  const std::lock_guard lock(mutex_);
  return ended_.has_value();
}

void SubscriptionCore::put(BatchItem item) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    if (const auto* batch = std::get_if<MessageBatch>(&item)) {
      waiting_messages_ += batch->size();
      waiting_bytes_ += batch->bytes();
      next_sequence_ = batch->first_sequence() + batch->size();
    } else if (const auto* gap = std::get_if<Gap>(&item); gap != nullptr) {
      next_sequence_ = std::max(next_sequence_, gap->last_sequence + 1);
    }
    items_.push_back(std::move(item));
    if (items_.size() > 1) return;  // whoever waits was woken for the first
    arrived_.set();
  }
}

void SubscriptionCore::end(Error reason) {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  ended_ = std::move(reason);
  arrived_.set();
}

void SubscriptionCore::set_info(SubscriptionInfo info) {
  const std::lock_guard lock(mutex_);
  next_sequence_ = info.next_sequence;
  info_ = std::move(info);
}

CreditDue SubscriptionCore::take_credit_due() {
  const std::lock_guard lock(mutex_);
  credit_queued_ = false;
  return std::exchange(due_, {});
}

CreditDue SubscriptionCore::first_credit() {
  const std::lock_guard lock(mutex_);
  due_ = {};
  credit_queued_ = false;  // what was queued while there was no connection is counted here
  CreditDue credit{options_.credit_messages, options_.credit_bytes};
  credit.messages -= std::min<std::uint64_t>(credit.messages, waiting_messages_);
  credit.bytes -= std::min(credit.bytes, waiting_bytes_);
  return credit;
}

std::uint64_t SubscriptionCore::next_sequence() const {
  const std::lock_guard lock(mutex_);
  return next_sequence_;
}

}  // namespace sluice::detail
