#include "broker/config/settings.h"

#include <gtest/gtest.h>
#include <set>

#include "broker/config/setting.h"

namespace sluice::config {
namespace {

TEST(Settings, Defaults_are_those_of_the_table) {
  const Settings settings;
  EXPECT_EQ(settings.listen.native, "127.0.0.1:4880");
  EXPECT_FALSE(settings.listen.allow_unauthenticated);
  EXPECT_EQ(settings.node.memory_budget, 1U << 30);
  EXPECT_EQ(settings.drain.deadline, std::chrono::seconds(5));
  EXPECT_EQ(settings.subscription.overflow, List{"drop_oldest"});
}

TEST(Settings, Every_default_passes_its_own_check) {
  Settings settings;
  for (const Setting& setting : bind(settings)) {
    std::string text = format_value(setting);
    if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
    if (text.starts_with('"')) text = text.substr(1, text.size() - 2);
    const auto status = assign_text(setting, text);
    EXPECT_TRUE(status) << setting.name() << ": " << status.error().detail;
  }
}

TEST(Settings, Names_and_variables_are_unique) {
  Settings settings;
  std::set<std::string> names;
  std::set<std::string> variables;
  for (const Setting& setting : bind(settings)) {
    EXPECT_TRUE(names.insert(setting.name()).second) << setting.name();
    EXPECT_TRUE(variables.insert(setting.variable()).second) << setting.variable();
    EXPECT_LE(setting.min, setting.max) << setting.name();
    EXPECT_FALSE(setting.text.empty()) << setting.name();
  }
}

}  // namespace
}  // namespace sluice::config
