#include "cli/bench_result.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sluice::cli {
namespace {

TEST(BenchOptions, EachModeHasItsNumbers) {
  BenchOptions pairs;
  EXPECT_EQ(complete(pairs), "");
  EXPECT_EQ(pairs.publishers, 1U);
  EXPECT_EQ(pairs.subscribers, 1U);
  BenchOptions three;
  three.subscribers = 3;
  EXPECT_EQ(complete(three), "");
  EXPECT_EQ(three.publishers, 3U);
  BenchOptions out{.mode = BenchMode::kFanOut};
  EXPECT_EQ(complete(out), "");
  EXPECT_EQ(out.publishers, 1U);
  EXPECT_EQ(out.subscribers, 10U);
  BenchOptions in{.mode = BenchMode::kFanIn};
  in.publishers = 4;
  EXPECT_EQ(complete(in), "");
  EXPECT_EQ(in.publishers, 4U);
  EXPECT_EQ(in.subscribers, 1U);
}

TEST(BenchOptions, WhatCannotBeIsRefused) {
  BenchOptions uneven{.publishers = 2, .subscribers = 3};
  EXPECT_EQ(complete(uneven), "mode 1:1 has as many publishers as subscribers");
  BenchOptions small{.size_bytes = 7};
  EXPECT_EQ(complete(small), "--size: between 8B, which hold the time of sending, and 1MiB");
  BenchOptions crowd{.mode = BenchMode::kFanOut, .subscribers = 1000};
  EXPECT_EQ(complete(crowd), "at most 1000 publishers and subscribers together");
}

BenchResult example() {
  BenchResult result;
  result.published.messages = 1000;
  result.published.bytes = 128'000;
  result.published.answered = 1000;
  result.published.ok = 1000;
  result.published.matched = 1000;
  result.published.accepted = 1000;
  result.offered = 1000;
  result.publishing = std::chrono::seconds(1);
  result.delivered = 990;
  result.delivered_bytes = 126'720;
  result.delivering = std::chrono::seconds(2);
  result.gaps = 1;
  result.missing = 10;
  for (std::uint64_t i = 1; i <= 100; ++i) result.latency.record(i);
  return result;
}

TEST(BenchResult, JsonHasEverything) {
  BenchOptions options{.rate = 1000};
  ASSERT_EQ(complete(options), "");
  EXPECT_EQ(nlohmann::json::parse(bench_json(options, example())), nlohmann::json::parse(R"({
      "mode": "1:1", "publishers": 1, "subscribers": 1, "size_bytes": 128, "rate": 1000,
      "overflow": "block",
      "published": {"messages": 1000, "bytes": 128000, "elapsed_ns": 1000000000,
                    "per_second": 1000.0},
      "offered": 1000,
      "delivered": {"messages": 990, "bytes": 126720, "elapsed_ns": 2000000000,
                    "per_second": 495.0},
      "receipts": {"answered": 1000, "ok": 1000, "matched": 1000, "accepted": 1000, "dropped": 0,
                   "rejected": 0},
      "gaps": 1, "missing": 10,
      "latency_ns": {"count": 100, "min": 1, "mean": 50.5, "p50": 50, "p90": 90, "p99": 99,
                     "p99.9": 100, "p99.99": 100, "max": 100}})"));
}

TEST(BenchResult, TextSaysFromWhenLatenciesCount) {
  BenchOptions paced{.rate = 1000};
  ASSERT_EQ(complete(paced), "");
  const std::string text = bench_text(paced, example());
  EXPECT_NE(text.find("from the time when each message was due"), std::string::npos) << text;
  EXPECT_NE(text.find("p99.9 100 ns"), std::string::npos) << text;
  BenchOptions full;
  ASSERT_EQ(complete(full), "");
  EXPECT_NE(bench_text(full, example()).find("with full queues"), std::string::npos);
}

}  // namespace
}  // namespace sluice::cli
