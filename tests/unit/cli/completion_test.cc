#include "cli/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <gtest/gtest.h>

#include "cli/app.h"
#include "cli/child_process.h"

namespace sluice::cli {
namespace {

class Completion : public testing::Test {
 protected:
  Completion() : app_(make_app(invocation_)) {}

  // Every verb and every long option of the model.
  void expect_all_named(const std::string& script, const std::string& before_option) const {
    for (const CLI::App* verb : app_->get_subcommands([](const CLI::App*) { return true; })) {
      EXPECT_NE(script.find(verb->get_name()), std::string::npos) << verb->get_name();
      for (const CLI::Option* option : verb->get_options()) {
        for (const std::string& name : option->get_lnames()) {
          EXPECT_NE(script.find(before_option + name), std::string::npos) << name;
        }
      }
    }
  }

  // What bash offers after these words.
  std::string offered(const std::string& words, int at) const {
    ChildOptions child;
    child.command = "bash -uc '\neval \"$SCRIPT\"\nCOMP_WORDS=(" + words +
                    ")\nCOMP_CWORD=" + std::to_string(at) +
                    "\n_sluice\nprintf \"%s \" \"${COMPREPLY[@]}\"'";
    child.environment = {{"SCRIPT", bash_completion(*app_)}};
    const auto result = run_child(child, {});
    EXPECT_TRUE(result.has_value());
    EXPECT_EQ(result->exit_code, 0) << child.command;
    return result->output;
  }

  // Single quotes besides those that are escaped so.
  static std::ptrdiff_t quotes_in(std::string script, const std::string& escaped) {
    for (std::size_t at = script.find(escaped); at != std::string::npos;
         at = script.find(escaped)) {
      script.erase(at, escaped.size());
    }
    return std::count(script.begin(), script.end(), '\'');
  }

  Invocation invocation_;
  std::unique_ptr<CLI::App> app_;
};

TEST_F(Completion, EveryVerbAndOptionIsInEveryScript) {
  expect_all_named(bash_completion(*app_), "--");
  expect_all_named(zsh_completion(*app_), "--");
  expect_all_named(fish_completion(*app_), "-l ");
}

TEST_F(Completion, BashOffersVerbs) {
  EXPECT_EQ(offered("sluice p", 1), "pub ping plan ");
  EXPECT_EQ(offered("sluice -q st", 2), "status ");
}

TEST_F(Completion, BashOffersTheOptionsOfTheVerbAndTheGlobalOnes) {
  EXPECT_EQ(offered("sluice sub --qu", 2), "--queue-messages --queue-bytes --quiet ");
  EXPECT_EQ(offered("sluice ping --rec", 2), " ");
}

TEST_F(Completion, BashOffersValuesWhereTheyAreKnown) {
  EXPECT_EQ(offered("sluice -o \"\"", 2), "table json ");
  EXPECT_EQ(offered("sluice bench --mode f", 3), "fanout fanin ");
  EXPECT_EQ(offered("sluice completion \"\"", 2), "bash zsh fish ");
  EXPECT_EQ(offered("sluice sub --count \"\"", 3), " ");
}

TEST_F(Completion, QuotesInDescriptionsDoNotEndTheScriptsStrings) {
  EXPECT_EQ(quotes_in(zsh_completion(*app_), "'\\''") % 2, 0);
  EXPECT_EQ(quotes_in(fish_completion(*app_), "\\'") % 2, 0);
}

}  // namespace
}  // namespace sluice::cli
