#include "broker/metrics/snapshot.h"

#include <algorithm>
#include <utility>

namespace sluice::metrics {
namespace {

using Shards = std::span<const ShardMetrics* const>;

constexpr double kNanosecondsPerSecond = 1e9;

Family family(std::string_view name, std::string_view text, FamilyKind kind) {
  Family out;
  out.name = name;
  out.text = text;
  out.kind = kind;
  return out;
}

/// A family of one series without labels.
Family single(std::string_view name, std::string_view text, FamilyKind kind, double value) {
  Family out = family(name, text, kind);
  out.series.push_back({{}, value});
  return out;
}

template <typename Read>
std::uint64_t sum(Shards shards, Read read) {
  std::uint64_t total = 0;
  for (const ShardMetrics* shard : shards) total += read(*shard);
  return total;
}

// The first part of `text` up to `by`, which it is cut off with.
std::string_view cut(std::string_view& text, char by) {
  const std::string_view part = text.substr(0, text.find(by));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

// "kind,state" and "publisher,idle": the labels of one series.
std::vector<Label> labels_of(std::string_view names, std::string_view values) {
  std::vector<Label> labels;
  while (!names.empty()) {
    const std::string_view name = cut(names, ',');
    labels.push_back({std::string(name), std::string(cut(values, ','))});
  }
  return labels;
}

// One series per word of `words`, of the member's value at its position.
template <typename Values>
Family by_word(Shards shards, Values ShardMetrics::* member, Family out, std::string_view labels,
               std::string_view words, double unit = 1) {
  for (std::size_t position = 0; !words.empty(); ++position) {
    const std::string_view word = cut(words, '|');
    if (word == "-") continue;
    const std::uint64_t total = sum(shards, [&](const ShardMetrics& shard) {
      return static_cast<std::uint64_t>((shard.*member)[position].value());
    });
    out.series.push_back({labels_of(labels, word), static_cast<double>(total) / unit});
  }
  return out;
}

Family by_error(Shards shards, CounterByError ShardMetrics::* member, Family out,
                std::string_view label) {
  for (std::size_t row = 0; row < kErrorCodes.size(); ++row) {
    const std::uint64_t total =
        sum(shards, [&](const ShardMetrics& shard) { return (shard.*member).row(row).value(); });
    if (total == 0) continue;
    const std::string_view name = base::error_info(kErrorCodes[row]).name;
    out.series.push_back({{{std::string(label), std::string(name)}}, static_cast<double>(total)});
  }
  return out;
}

Family histogram(Shards shards, Histogram ShardMetrics::* member, Family out) {
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    cumulative += sum(shards, [&](const ShardMetrics& shard) { return (shard.*member).bucket(i); });
    if (i == Histogram::kFinite) break;
    out.buckets.push_back(
        {static_cast<double>(Histogram::bound_ns(i)) / kNanosecondsPerSecond, cumulative});
  }
  // The count is the sum of the buckets and not a counter of its own: the two would differ when an
  // observation falls between the reads.
  out.count = cumulative;
  out.sum_seconds =
      static_cast<double>(
          sum(shards, [&](const ShardMetrics& shard) { return (shard.*member).sum_ns(); })) /
      kNanosecondsPerSecond;
  return out;
}

Family by_limit(std::span<const LimitMetrics> limits, std::uint64_t LimitMetrics::* member,
                Family out) {
  for (const LimitMetrics& limit : limits) {
    out.series.push_back(
        {{{"limit", limit.limit}, {"level", limit.level}, {"direction", limit.direction}},
         static_cast<double>(limit.*member)});
  }
  return out;
}

}  // namespace

Snapshot collect(Shards shards, const NodeMetrics& node, const BuildInfo& build,
                 std::span<const LimitMetrics> limits) {
  Snapshot out;
#define COUNTER(member, name, text)                                                    \
  out.push_back(single(name, text, FamilyKind::kCounter,                               \
                       static_cast<double>(sum(shards, [](const ShardMetrics& shard) { \
                         return shard.member.value();                                  \
                       }))));
#define COUNTER_BY(member, name, label, words, text)                                             \
  out.push_back(by_word(shards, &ShardMetrics::member, family(name, text, FamilyKind::kCounter), \
                        label, words));
#define SECONDS_BY(member, name, labels, words, text)                                            \
  out.push_back(by_word(shards, &ShardMetrics::member, family(name, text, FamilyKind::kCounter), \
                        labels, words, kNanosecondsPerSecond));
#define GAUGE_BY(member, name, labels, words, text)                                            \
  out.push_back(by_word(shards, &ShardMetrics::member, family(name, text, FamilyKind::kGauge), \
                        labels, words));
#define COUNTER_BY_ERROR(member, name, label, text) \
  out.push_back(                                    \
      by_error(shards, &ShardMetrics::member, family(name, text, FamilyKind::kCounter), label));
// Negative values of single shards, as entries counted where they leave, sum up modulo 2^64.
#define GAUGE(member, name, text)                                                               \
  out.push_back(single(                                                                         \
      name, text, FamilyKind::kGauge,                                                           \
      static_cast<double>(static_cast<std::int64_t>(sum(shards, [](const ShardMetrics& shard) { \
        return static_cast<std::uint64_t>(shard.member.value());                                \
      })))));
#define HISTOGRAM(member, name, text) \
  out.push_back(                      \
      histogram(shards, &ShardMetrics::member, family(name, text, FamilyKind::kHistogram)));
#define NODE_GAUGE(member, name, text) \
  out.push_back(single(name, text, FamilyKind::kGauge, node.member));
#define LIMIT_COUNTER(member, name, text) \
  out.push_back(by_limit(limits, &LimitMetrics::member, family(name, text, FamilyKind::kCounter)));
#define NODE_COUNTER(member, name, text) \
  out.push_back(single(name, text, FamilyKind::kCounter, node.member));
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
  Family info =
      family("sluice_build_info", "Always 1; its labels say what is running.", FamilyKind::kGauge);
  info.series.push_back({{{"version", build.version}, {"compiler", build.compiler}}, 1});
  out.push_back(std::move(info));
  // A family without series has nothing to say yet.
  std::erase_if(
      out, [](const Family& f) { return f.kind != FamilyKind::kHistogram && f.series.empty(); });
  return out;
}

}  // namespace sluice::metrics
