#include "tests/bench/overload/account.h"

#include <gtest/gtest.h>

#include "tests/bench/load/json_object.h"

namespace sluice::bench {
namespace {

TEST(Delivered, NumbersTellWhatIsMissingAndGapsWhatWasTold) {
  Delivered delivered;
  delivered.on_number(0);
  delivered.on_number(3);
  EXPECT_EQ(delivered.untold, 2U);
  delivered.lost = 5;  // a gap: 4 to 8
  delivered.on_number(9);
  EXPECT_EQ(delivered.untold, 2U);
  EXPECT_EQ(delivered.misplaced, 0U);
  delivered.on_number(9);
  EXPECT_EQ(delivered.misplaced, 1U);
}

TEST(Account, IsOneJsonObjectWithRatesOfTheWindow) {
  Scenario scenario;
  scenario.work.peer = "nats";
  Account account;
  account.window_begin.at_ns = 1'000'000'000;
  account.window_begin.sent = {100, 0};
  account.window_begin.delivered = {200, 0, 0};
  account.window_end.at_ns = 3'000'000'000;
  account.window_end.sent = {300, 0};
  account.window_end.delivered = {600, 0, 0};
  GroupAccount& healthy = account.groups[static_cast<std::size_t>(Group::kHealthy)];
  healthy.readers = 2;
  healthy.told["-ERR \"no\""] = 1;
  const std::string json = to_json(scenario, account);
  EXPECT_NE(json.find("\"sent_per_s\":100,"), std::string::npos) << json;
  EXPECT_NE(json.find("\"healthy\":{\"readers\":2,\"per_reader_per_s\":100,"), std::string::npos);
  EXPECT_NE(json.find("\"told\":{\"-ERR \\u0022no\\u0022\":1}"), std::string::npos) << json;
  EXPECT_EQ(json.find("slow_sent"), std::string::npos);
  EXPECT_EQ(json.find('\n'), std::string::npos);
}

TEST(JsonText, EscapesWhatJsonDoesNotTake) {
  EXPECT_EQ(json_text("a\"b\\c\n"), "\"a\\u0022b\\u005cc\\u000a\"");
  EXPECT_EQ(json_text("größe"), "\"größe\"");
}

}  // namespace
}  // namespace sluice::bench
