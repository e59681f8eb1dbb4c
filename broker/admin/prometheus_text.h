// prometheus_text.h: how does Prometheus read a snapshot?
//
// Thread:   any.
// Source:   Prometheus text exposition format 0.0.4, written by prometheus-cpp
// Tests:    tests/unit/broker/admin/prometheus_text_test.cc,
//           tests/integration/admin/metrics_prometheus_test.py

#pragma once

#include <string>

#include "broker/metrics/snapshot.h"

namespace sluice::admin {

inline constexpr const char* kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

std::string prometheus_text(const metrics::Snapshot& snapshot);

}  // namespace sluice::admin
