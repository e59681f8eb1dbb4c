// limit_verbs.h: what do operators ask of limits, and what are they told?
//
//   limit.list      {"name"?, "buckets"?}              all limits, or one
//   limit.set       {"name", fields…}                  a new one, or other values for one
//   limit.remove    {"name"}                           and what it had counted
//   limit.simulate  {"name", fields…, "for_ms"}        a new one that only observes, and ends
//
// Fields are those of broker/model/limit_fields.def, as numbers or texts. What is not given stays
// as it was, or has its default. The answer to each is {"limits": […]}, to a failure {"error": …}.
//
// Owner:    the daemon. Borrows the registry.
// Thread:   any.
// Limits:   kBucketsShown buckets of each limit; fewer where the answer would be too large.
// Errors:   kBadArgument, kUnknownLimit, kResourceExhausted.
// Tests:    tests/unit/broker/admin/limit_verbs_test.cc

#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "broker/flow/limit_registry.h"
#include "libs/base/result.h"

namespace sluice::admin {

/// A body and whether it tells of an error.
struct Answer {
  base::ErrorCode error = base::ErrorCode::kNone;
  std::string body;
};

class LimitVerbs {
 public:
  static constexpr std::size_t kBucketsShown = 100;
  static constexpr std::string_view kPrefix = "limit.";
  /// What a simulation may outlive the time it was asked for, so that its results can be fetched.
  static constexpr base::Duration kGrace = std::chrono::seconds(10);

  /// `changed` is called after every change of the table.
  LimitVerbs(flow::LimitRegistry& registry, std::function<void()> changed)
      : registry_(registry), changed_(std::move(changed)) {}

  Answer run(std::string_view verb, std::string_view body, base::MonotonicTime now,
             std::size_t max_bytes);

 private:
  Answer list(std::string_view name, std::size_t buckets, base::MonotonicTime now,
              std::size_t max_bytes) const;
  Answer remove(const std::string& name, base::MonotonicTime now);

  flow::LimitRegistry& registry_;
  std::function<void()> changed_;
};

}  // namespace sluice::admin
