// bucket_store.h: which bucket of a limit is this topic's, this user's, this connection's?
//
// Made when first asked for. One that is full, and that nobody holds, is as good as a new one, so
// it is forgotten in passing; its counts stay in the sums.
//
// Owner:    a Limit; shared with the next version of the same limit.
// Thread:   any; a mutex that is taken once per bucket and shard, never per batch.
// Limits:   `buckets_max`. While all of them are in use, further ones share the bucket kOthers.
// Tests:    tests/unit/broker/flow/bucket_store_test.cc

#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/flow/limit_bucket.h"

namespace sluice::flow {

using BucketRef = std::shared_ptr<LimitBucket>;

class BucketStore {
 public:
  static constexpr std::string_view kOthers = "(others)";

  BucketStore(const model::LimitSpec& spec, std::size_t buckets_max)
      : spec_(spec), buckets_max_(buckets_max) {}

  BucketRef get(const std::string& key, base::MonotonicTime now);
  /// All buckets, now and later, are of this spec. Requires: as LimitBucket::reshape().
  void reshape(const model::LimitSpec& spec, base::MonotonicTime now);

  std::size_t size() const;
  /// Of all buckets there ever were.
  LimitCounts totals() const;
  /// The `most` with the largest counts of what was delayed, refused, observed or passed.
  std::vector<BucketRef> busiest(std::size_t most) const;

 private:
  // Places looked at for something to forget, each time a bucket is made.
  static constexpr std::size_t kLook = 16;

  void forget_some(base::MonotonicTime now);

  mutable std::mutex mutex_;  // guards all below
  model::LimitSpec spec_;
  const std::size_t buckets_max_;
  std::vector<BucketRef> buckets_;
  std::unordered_map<std::string_view, std::size_t> by_key_;  // keys live in the buckets
  std::size_t sweep_ = 0;
  BucketRef others_;
  LimitCounts forgotten_;
};

}  // namespace sluice::flow
