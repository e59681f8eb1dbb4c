#include "broker/admin/status_json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace sluice::admin {
namespace {

model::ShardStatus shard_with(std::uint64_t connections, std::int64_t imbalance) {
  model::ShardStatus shard;
  shard.connections = connections;
  shard.ledger_imbalance = imbalance;
  return shard;
}

TEST(StatusJson, Sums_over_shards) {
  NodeStatus status;
  status.node = "n";
  status.shards = {shard_with(3, 0), shard_with(4, 1)};
  const auto json = nlohmann::json::parse(status_json(status));
  EXPECT_EQ(json["node"], "n");
  EXPECT_EQ(json["shards"], 2);
  EXPECT_EQ(json["connections"], 7);
  EXPECT_EQ(json["ledger_imbalance"], 1);
  EXPECT_TRUE(json["subscription_list"].empty());
}

TEST(StatusJson, Each_subscription_has_its_ledger) {
  model::SubscriptionStatus row;
  row.name = "slow";
  row.filters = {"a.*"};
  row.matched = 10;
  row.delivered = 6;
  row.dropped[0] = 3;
  row.dropped[5] = 1;
  NodeStatus status;
  status.shards.emplace_back().subscription_list.push_back(row);
  const auto json = nlohmann::json::parse(status_json(status));
  const auto& ledger = json["subscription_list"][0]["ledger"];
  EXPECT_EQ(ledger["matched"], 10);
  EXPECT_EQ(ledger["dropped"], 4);
  EXPECT_EQ(ledger["dropped_by"], nlohmann::json({{"dropped_oldest", 3}, {"lagged", 1}}));
  EXPECT_EQ(json["subscription_list"][0]["filters"], nlohmann::json({"a.*"}));
}

TEST(StatusJson, Its_lists_are_cut_to_the_size_wanted_and_its_sums_stay) {
  NodeStatus status;
  status.shards = {shard_with(1000, 0), shard_with(1000, 0)};
  for (model::ShardStatus& shard : status.shards) {
    shard.subscription_list.resize(1000);
    shard.connection_list.resize(1000);
    shard.subscription_list.front().filters.assign(10, std::string(200, 'x'));
  }
  for (const std::size_t most : {1'000, 10'000, 100'000}) {
    const std::string text = status_json(NodeStatus(status), most);
    EXPECT_LE(text.size(), most);
    const auto json = nlohmann::json::parse(text);
    EXPECT_EQ(json["connections"], 2000);
    EXPECT_TRUE(most < 100'000 || json["subscription_list"].size() > 50);
  }
  EXPECT_EQ(status_json(NodeStatus(status), 10'000'000), status_json(status));
}

TEST(StatusJson, Names_that_are_not_utf8_do_not_break_it) {
  model::ConnectionStatus row;
  row.client = "\xff\"\n";
  NodeStatus status;
  status.shards.emplace_back().connection_list.push_back(row);
  const auto json = nlohmann::json::parse(status_json(status));
  EXPECT_EQ(json["connection_list"][0]["client"], "\xEF\xBF\xBD\"\n");
}

}  // namespace
}  // namespace sluice::admin
