#include "broker/admin/prometheus_text.h"

#include <array>
#include <gtest/gtest.h>

namespace sluice::admin {
namespace {

std::string text_of(const metrics::ShardMetrics& shard) {
  const std::array shards = {&shard};
  return prometheus_text(
      metrics::collect(std::span<const metrics::ShardMetrics* const>(shards.data(), shards.size()),
                       {}, {"1.0", "a\"b"}));
}

bool has_line(const std::string& text, const std::string& line) {
  return text.find("\n" + line + "\n") != std::string::npos;
}

TEST(PrometheusText, Has_help_type_and_value_of_each_family) {
  metrics::ShardMetrics shard;
  shard.received_bytes.add(42);
  shard.connections.set(3);
  const std::string text = text_of(shard);
  EXPECT_TRUE(has_line(text, "# HELP sluice_received_bytes_total Bytes read from connections."));
  EXPECT_TRUE(has_line(text, "# TYPE sluice_received_bytes_total counter"));
  EXPECT_TRUE(has_line(text, "sluice_received_bytes_total 42"));
  EXPECT_TRUE(has_line(text, "# TYPE sluice_connections gauge"));
  EXPECT_TRUE(has_line(text, "sluice_connections 3"));
}

TEST(PrometheusText, Labels_are_quoted) {
  metrics::ShardMetrics shard;
  shard.connections_closed[metrics::CloseReason::kDrain].add(2);
  const std::string text = text_of(shard);
  EXPECT_TRUE(has_line(text, "sluice_connections_closed_total{reason=\"drain\"} 2"));
  EXPECT_TRUE(has_line(text, "sluice_build_info{version=\"1.0\",compiler=\"a\\\"b\"} 1"));
}

TEST(PrometheusText, Histograms_end_with_infinity_count_and_sum) {
  metrics::ShardMetrics shard;
  shard.loop_turn.observe(std::chrono::microseconds(2));
  shard.loop_turn.observe(std::chrono::hours(1));
  const std::string text = text_of(shard);
  EXPECT_TRUE(has_line(text, "# TYPE sluice_loop_turn_seconds histogram"));
  EXPECT_TRUE(has_line(text, "sluice_loop_turn_seconds_count 2"));
  EXPECT_TRUE(has_line(text, "sluice_loop_turn_seconds_bucket{le=\"+Inf\"} 2"));
  EXPECT_NE(text.find("sluice_loop_turn_seconds_sum 3600.000002"), std::string::npos);
}

}  // namespace
}  // namespace sluice::admin
