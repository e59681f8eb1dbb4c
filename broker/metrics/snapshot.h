// snapshot.h: what do all shards together have counted?
//
// The sum over all shards and the values of the node, as families of series, ready for any
// exposition. Values are read one after another while the shards go on counting.
//
// Owner:    a value; its texts are literals of metrics.def.
// Thread:   collect(): any thread, as long as the shards' metrics live.
// Units:    as the names say; histograms in seconds.
// Limits:   the number of series is fixed by metrics.def, errors.def and the number of limits.
// Tests:    tests/unit/broker/metrics/snapshot_test.cc

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/metrics/shard_metrics.h"

namespace sluice::metrics {

/// Values of the process, which the daemon fills in for each scrape.
struct NodeMetrics {
#define COUNTER(member, name, text)
#define COUNTER_BY(member, name, label, words, text)
#define SECONDS_BY(member, name, labels, words, text)
#define GAUGE_BY(member, name, labels, words, text)
#define COUNTER_BY_ERROR(member, name, label, text)
#define GAUGE(member, name, text)
#define HISTOGRAM(member, name, text)
#define NODE_GAUGE(member, name, text) double member = 0;
#define NODE_COUNTER(member, name, text) double member = 0;
#define LIMIT_COUNTER(member, name, text)
#include "broker/metrics/metrics.def"
#undef COUNTER
#undef COUNTER_BY
#undef SECONDS_BY
#undef GAUGE_BY
#undef COUNTER_BY_ERROR
#undef GAUGE
#undef HISTOGRAM
#undef NODE_GAUGE
#undef NODE_COUNTER
#undef LIMIT_COUNTER
};

/// What one limit has counted; the daemon fills it in for each scrape.
struct LimitMetrics {
  std::string limit;
  std::string level;
  std::string direction;
#define COUNTER(member, name, text)
#define COUNTER_BY(member, name, label, words, text)
#define SECONDS_BY(member, name, labels, words, text)
#define GAUGE_BY(member, name, label, words, text)
#define COUNTER_BY_ERROR(member, name, label, text)
#define GAUGE(member, name, text)
#define HISTOGRAM(member, name, text)
#define NODE_GAUGE(member, name, text)
#define NODE_COUNTER(member, name, text)
#define LIMIT_COUNTER(member, name, text) std::uint64_t member = 0;
#include "broker/metrics/metrics.def"
#undef COUNTER
#undef COUNTER_BY
#undef SECONDS_BY
#undef GAUGE_BY
#undef COUNTER_BY_ERROR
#undef GAUGE
#undef HISTOGRAM
#undef NODE_GAUGE
#undef NODE_COUNTER
#undef LIMIT_COUNTER
};

/// What is running; exported as labels of sluice_build_info.
struct BuildInfo {
  std::string version;
  std::string compiler;
};

enum class FamilyKind : std::uint8_t { kCounter, kGauge, kHistogram };

struct Label {
  std::string name;
  std::string value;
};

struct Series {
  std::vector<Label> labels;
  double value = 0;
};

struct Bucket {
  double bound_seconds = 0;  ///< inclusive
  std::uint64_t cumulative = 0;
};

/// All series of one name.
struct Family {
  std::string_view name;
  std::string_view text;
  FamilyKind kind = FamilyKind::kCounter;
  std::vector<Series> series;   ///< empty for histograms
  std::vector<Bucket> buckets;  ///< the finite ones, rising; histograms only
  std::uint64_t count = 0;      ///< histograms only
  double sum_seconds = 0;       ///< histograms only
};

using Snapshot = std::vector<Family>;

Snapshot collect(std::span<const ShardMetrics* const> shards, const NodeMetrics& node,
                 const BuildInfo& build, std::span<const LimitMetrics> limits = {});

}  // namespace sluice::metrics
