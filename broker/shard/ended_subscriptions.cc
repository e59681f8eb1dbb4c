#include "broker/shard/ended_subscriptions.h"

#include "broker/shard/heap_bytes.h"
#include "libs/base/assert.h"

namespace sluice::shard {
namespace {

std::size_t text_bytes(const EndedSubscription& ended) noexcept {
  std::size_t bytes = heap_bytes(ended.shown_name) + heap_bytes(ended.name) +
                      heap_bytes(ended.group) + heap_bytes(ended.client) +
                      heap_bytes(ended.overflow) + ended.filters.capacity() * sizeof(std::string);
  for (const std::string& filter : ended.filters) bytes += heap_bytes(filter);
  return bytes;
}

}  // namespace

void EndedSubscriptions::add(EndedSubscription&& ended) {
  if (max_ == 0) return;
  ended.filter_count = ended.filters.size();
  if (ended.filters.size() > kMaxFiltersKept) {
    ended.filters.resize(kMaxFiltersKept);
    ended.filters.shrink_to_fit();
  }
  if (ended.session != 0) by_key_[key_of(ended)] = added_;
  const std::size_t at = added_ % max_;
  if (records_.size() < max_) {
    records_.push_back(std::move(ended));
  } else {
    const auto known = by_key_.find(key_of(records_[at]));
    if (known != by_key_.end() && known->second == added_ - max_) by_key_.erase(known);
    text_bytes_ -= text_bytes(records_[at]);
    records_[at] = std::move(ended);
  }
  text_bytes_ += text_bytes(records_[at]);
  ++added_;
}

const EndedSubscription* EndedSubscriptions::find(std::uint64_t session,
                                                  model::SubscriptionId id) const {
  const auto known = by_key_.find({session, id.value()});
  return known == by_key_.end() ? nullptr : &records_[known->second % max_];
}

const EndedSubscription& EndedSubscriptions::newest(std::size_t back) const {
  ASSERT(back < records_.size());
  return records_[(added_ - 1 - back) % max_];
}

}  // namespace sluice::shard
