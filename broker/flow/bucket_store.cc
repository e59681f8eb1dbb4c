#include "broker/flow/bucket_store.h"

#include <algorithm>
#include <tuple>

namespace sluice::flow {

BucketRef BucketStore::get(const std::string& key, base::MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) return buckets_[found->second];
  forget_some(now);
  if (buckets_.size() >= buckets_max_) {
    if (others_ == nullptr) others_ = std::make_shared<LimitBucket>(std::string(kOthers), spec_);
    return others_;
  }
  buckets_.push_back(std::make_shared<LimitBucket>(key, spec_));
  by_key_.emplace(buckets_.back()->key(), buckets_.size() - 1);
  return buckets_.back();
}

void BucketStore::forget_some(base::MonotonicTime now) {
  for (std::size_t i = 0; i < kLook && !buckets_.empty(); ++i) {
    sweep_ = sweep_ + 1 < buckets_.size() ? sweep_ + 1 : 0;
    BucketRef& bucket = buckets_[sweep_];
    if (bucket.use_count() != 1 || !bucket->full(now)) continue;
    forgotten_.add(bucket->counts());
    by_key_.erase(bucket->key());
    if (sweep_ + 1 != buckets_.size()) {
      bucket = std::move(buckets_.back());
      by_key_[bucket->key()] = sweep_;
    }
    buckets_.pop_back();
  }
}

void BucketStore::reshape(const model::LimitSpec& spec, base::MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  spec_ = spec;
  for (const BucketRef& bucket : buckets_) bucket->reshape(spec, now);
  if (others_ != nullptr) others_->reshape(spec, now);
}

std::size_t BucketStore::size() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size() + (others_ != nullptr ? 1 : 0);
}

LimitCounts BucketStore::totals() const {
  const std::lock_guard lock(mutex_);
  LimitCounts sum = forgotten_;
  for (const BucketRef& bucket : buckets_) sum.add(bucket->counts());
  if (others_ != nullptr) sum.add(others_->counts());
  return sum;
}

std::vector<BucketRef> BucketStore::busiest(std::size_t most) const {
  std::vector<BucketRef> all;
  {
    const std::lock_guard lock(mutex_);
    all = buckets_;
    if (others_ != nullptr) all.push_back(others_);
  }
  const auto busy = [](const BucketRef& bucket) {
    const LimitCounts counts = bucket->counts();
    const std::uint64_t over =
        counts.delayed_messages + counts.refused_messages + counts.observed_messages;
    return std::make_tuple(over, counts.passed_messages);
  };
  const std::size_t kept = std::min(most, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(),
                    [&](const BucketRef& a, const BucketRef& b) { return busy(a) > busy(b); });
  all.resize(kept);
  return all;
}

}  // namespace sluice::flow
