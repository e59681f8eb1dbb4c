#include "broker/admin/inspection_json.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "broker/admin/advice.h"
#include "broker/admin/control_json.h"

namespace sluice::admin {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

TEST(InspectionJson, Reads_what_was_asked) {
  EXPECT_EQ(parse_audit("")->limit, kRowsMax);
  const auto audit = parse_audit(R"({"topic":"a.b","since_ms":1500,"limit":3})");
  EXPECT_EQ(audit->topic, "a.b");
  EXPECT_EQ(audit->since, base::Duration(1500ms));
  EXPECT_EQ(audit->limit, 3U);
  const auto drops = parse_drops(R"({"after":[3,4],"reason":"lagged","closed":true})");
  EXPECT_EQ(drops->after, (std::vector<std::uint64_t>{3, 4}));
  EXPECT_EQ(drops->reason, wire::GapReason::kLagged);
  EXPECT_TRUE(drops->only_closed);
  const auto explain = parse_explain(R"({"kind":"topic","name":"a"})");
  EXPECT_EQ(explain->kind, model::ExplainKind::kTopic);
}

TEST(InspectionJson, Refuses_what_is_malformed) {
  for (const char* body : {"[]", "x", R"({"topic":1})", R"({"since_ms":-1})", R"({"limit":"3"})"}) {
    EXPECT_FALSE(parse_audit(body)) << body;
  }
  for (const char* body : {R"({"after":3})", R"({"after":["x"]})", R"({"reason":"bored"})",
                           R"({"closed":1})", R"({"since_ms":1.5})"}) {
    EXPECT_FALSE(parse_drops(body)) << body;
  }
  for (const char* body : {"", R"({"kind":"queue","name":"x"})", R"({"kind":"topic"})"}) {
    EXPECT_FALSE(parse_explain(body)) << body;
  }
  for (const char* body : {"", R"({"name":"x"})", R"({"name":"x","delay_ms":1,"for_ms":0})",
                           R"({"name":1,"delay_ms":1,"for_ms":1})"}) {
    EXPECT_FALSE(parse_order("rehearse.slow", body)) << body;
  }
  EXPECT_FALSE(parse_order("rehearse.fire", "{}"));
}

TEST(InspectionJson, Reads_orders) {
  const auto order = parse_order("rehearse.slow", R"({"name":"s","delay_ms":10,"for_ms":2000})");
  EXPECT_EQ(order->kind, Order::Kind::kSlow);
  EXPECT_EQ(order->delay, base::Duration(10ms));
  EXPECT_EQ(order->time, base::Duration(2s));
  EXPECT_EQ(parse_order("subscription.pause", R"({"name":"s"})")->kind, Order::Kind::kPause);
  EXPECT_EQ(parse_order("rehearse.list", "")->kind, Order::Kind::kList);
}

TEST(InspectionJson, An_audit_sums_the_shards_and_is_cut_to_size) {
  std::vector<model::AccountPage> pages(2);
  for (model::AccountPage& page : pages) {
    page.rows.resize(50);
    page.subscriptions = 60;
    page.sum.matched = 10;
    page.sum.delivered = 9;
    page.unbalanced = 1;
  }
  const json full = json::parse(audit_json(std::vector(pages), {}, 1U << 20));
  EXPECT_EQ(full["subscriptions"], 120);
  EXPECT_EQ(full["unbalanced"], 2);
  EXPECT_EQ(full["sum"]["imbalance"], 2);
  EXPECT_EQ(full["rows"].size(), 100U);
  EXPECT_EQ(full["truncated"], true);
  const std::string cut = audit_json(std::vector(pages), {}, 5000);
  EXPECT_LE(cut.size(), 5000U);
  EXPECT_EQ(json::parse(cut)["sum"]["matched"], 20);
}

TEST(InspectionJson, A_page_of_drops_that_is_cut_goes_on_where_it_ended) {
  std::vector<model::DropPage> pages(1);
  for (std::uint64_t number = 11; number <= 110; ++number) {
    pages[0].rows.emplace_back().number = number;
  }
  pages[0].next = 110;
  const json page = json::parse(drops_json(std::move(pages), base::WallTime(1h), 8000));
  EXPECT_EQ(page["more"], true);
  ASSERT_FALSE(page["rows"].empty());
  EXPECT_LT(page["rows"].size(), 100U);
  EXPECT_EQ(page["next"][0], page["rows"].back()["number"]);
}

TEST(Advice, Shows_what_a_longer_queue_costs) {
  model::SubscriptionExplanation row;
  row.state = model::LimitedBy::kWaitingCredit;
  row.status.max_messages = 1000;
  row.status.max_bytes = 1U << 30;
  row.status.queued = 10;
  row.status.held_bytes = 2000;
  row.status.overflow = "drop_oldest";
  const std::vector<Advice> advice = advice_for(row);
  const auto longer = std::find_if(advice.begin(), advice.end(), [](const Advice& one) {
    return one.change.find("max_messages 2000") != std::string::npos;
  });
  ASSERT_NE(longer, advice.end());
  EXPECT_NE(longer->cost.find("1000 more messages x 200 bytes"), std::string::npos) << longer->cost;
  EXPECT_NE(cause_of(row).find("10 messages wait for credit"), std::string::npos);
}

TEST(Advice, Gives_no_longer_queue_than_the_broker_allows) {
  model::SubscriptionExplanation row;
  row.state = model::LimitedBy::kWaitingCredit;
  row.status.max_messages = 1000;
  row.status.max_bytes = 60'000;
  row.status.queued = 10;
  row.status.held_bytes = 1000;
  row.status.overflow = "drop_oldest";
  row.max_messages_allowed = 1500;
  row.max_bytes_allowed = 70'000;
  const auto longer = [&row]() -> Advice {
    for (const Advice& one : advice_for(row)) {
      if (one.change.starts_with("give it a longer queue")) return one;
    }
    return {};
  };
  EXPECT_EQ(longer().change,
            "give it a longer queue: max_messages 1500 in place of 1000, and max_bytes 70000B in "
            "place of 60000B");
  EXPECT_EQ(longer().cost,
            "memory: 100 more messages x 100 bytes each (as now) = 10000B when it is full");
  row.status.max_messages = 1500;
  EXPECT_EQ(longer().change, "give it a longer queue: max_bytes 70000B in place of 60000B");
  row.status.max_bytes = 70'000;
  EXPECT_EQ(longer().change, "") << "it is as long as it can be";
}

TEST(Advice, Has_something_for_each_state_that_limits) {
  model::SubscriptionExplanation row;
  row.status.overflow = "block";
  for (const auto state : {model::LimitedBy::kWaitingCredit, model::LimitedBy::kTcpWindow,
                           model::LimitedBy::kRateLimited, model::LimitedBy::kPaused}) {
    row.state = state;
    EXPECT_FALSE(advice_for(row).empty());
    EXPECT_FALSE(cause_of(row).empty());
  }
  row.state = model::LimitedBy::kRateLimited;
  row.which = "rehearsal";
  EXPECT_NE(advice_for(row).at(0).change.find("rehearse stop"), std::string::npos);
  for (const auto state : {model::LimitedBy::kIdle, model::LimitedBy::kDelivering}) {
    row.state = state;
    EXPECT_TRUE(advice_for(row).empty());
  }
}

}  // namespace
}  // namespace sluice::admin
