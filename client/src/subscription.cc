#include <sluice/subscription.h>
#include <utility>

#include "client/src/subscription_core.h"

namespace sluice {

async::Task<Result<Item>> Subscription::next(async::Context context) {
  return detail::SubscriptionCore::take_one(core_, std::move(context));
}

async::Task<Result<BatchItem>> Subscription::next_batch(async::Context context) {
  return detail::SubscriptionCore::take(core_, std::move(context));
}

Result<BatchItem> Subscription::try_next_batch() { return core_->try_take(); }

Result<Item> Subscription::try_next() { return core_->try_take_one(); }

async::Task<Result<SubscriptionAccount>> Subscription::close(async::Context context) {
  return detail::SubscriptionCore::close(core_, std::move(context));
}

SubscriptionInfo Subscription::info() const { return core_->info(); }

std::size_t Subscription::waiting() const { return core_->waiting(); }

}  // namespace sluice
