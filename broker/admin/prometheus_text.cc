#include "broker/admin/prometheus_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <utility>
#include <vector>

namespace sluice::admin {
namespace {

prometheus::MetricType type_of(metrics::FamilyKind kind) {
  switch (kind) {
    case metrics::FamilyKind::kCounter:
      return prometheus::MetricType::Counter;
    case metrics::FamilyKind::kGauge:
      return prometheus::MetricType::Gauge;
    case metrics::FamilyKind::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric metric_of(const metrics::Series& series, metrics::FamilyKind kind) {
  prometheus::ClientMetric metric;
  for (const metrics::Label& label : series.labels) {
    metric.label.push_back({label.name, label.value});
  }
  if (kind == metrics::FamilyKind::kCounter) {
    metric.counter.value = series.value;
  } else {
    metric.gauge.value = series.value;
  }
  return metric;
}

prometheus::ClientMetric histogram_of(const metrics::Family& family) {
  prometheus::ClientMetric metric;
  metric.histogram.sample_count = family.count;
  metric.histogram.sample_sum = family.sum_seconds;
  for (const metrics::Bucket& bucket : family.buckets) {
    metric.histogram.bucket.push_back({bucket.cumulative, bucket.bound_seconds});
  }
  return metric;
}

}  // namespace

std::string prometheus_text(const metrics::Snapshot& snapshot) {
  std::vector<prometheus::MetricFamily> families;
  families.reserve(snapshot.size());
  for (const metrics::Family& family : snapshot) {
    prometheus::MetricFamily out;
    out.name = family.name;
    out.help = family.text;
    out.type = type_of(family.kind);
    if (family.kind == metrics::FamilyKind::kHistogram) {
      out.metric.push_back(histogram_of(family));
    } else {
      for (const metrics::Series& series : family.series) {
        out.metric.push_back(metric_of(series, family.kind));
      }
    }
    families.push_back(std::move(out));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace sluice::admin
