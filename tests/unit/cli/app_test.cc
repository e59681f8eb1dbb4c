#include "cli/app.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace sluice::cli {
namespace {

struct Parsed {
  std::optional<ExitCode> ended;
  Invocation invocation;
  std::string out;
  std::string err;
};

Parsed parse_line(std::vector<std::string> arguments) {
  Parsed parsed;
  const auto app = make_app(parsed.invocation);
  std::ostringstream out;
  std::ostringstream err;
  parsed.ended = parse(*app, parsed.invocation, std::move(arguments), out, err);
  parsed.out = out.str();
  parsed.err = err.str();
  return parsed;
}

std::string usage_error(std::vector<std::string> arguments) {
  const Parsed parsed = parse_line(std::move(arguments));
  EXPECT_EQ(parsed.ended, ExitCode::kUsage);
  EXPECT_EQ(parsed.out, "");
  return parsed.err;
}

class App : public testing::Test {
 protected:
  void SetUp() override { unsetenv("SLUICE_SERVER"); }
};

TEST_F(App, GlobalOptionsStandBeforeOrAfterTheVerb) {
  const Parsed before = parse_line({"--server", "h:1", "-o", "json", "-q", "ping"});
  const Parsed after = parse_line({"ping", "--server", "h:1", "-o", "json", "-q"});
  for (const Parsed* parsed : {&before, &after}) {
    ASSERT_EQ(parsed->ended, std::nullopt) << parsed->err;
    EXPECT_EQ(parsed->invocation.globals.verb, "ping");
    EXPECT_EQ(parsed->invocation.globals.server, "h:1");
    EXPECT_TRUE(parsed->invocation.globals.json);
    EXPECT_TRUE(parsed->invocation.globals.quiet);
    EXPECT_TRUE(parsed->invocation.globals.reconnect);
    EXPECT_TRUE(parsed->invocation.action != nullptr);
  }
}

TEST_F(App, TheServerComesFromTheEnvironmentUnlessItIsSaid) {
  setenv("SLUICE_SERVER", "env:2", 1);
  EXPECT_EQ(parse_line({"ping"}).invocation.globals.server, "env:2");
  EXPECT_EQ(parse_line({"ping", "--server", "h:1"}).invocation.globals.server, "h:1");
  unsetenv("SLUICE_SERVER");
  EXPECT_EQ(parse_line({"ping"}).invocation.globals.server, "127.0.0.1:4880");
}

TEST_F(App, DefaultsCanBeChanged) {
  const Parsed parsed = parse_line({"sub", "a.>", "--no-reconnect", "--connect-timeout", "250ms"});
  EXPECT_EQ(parsed.ended, std::nullopt) << parsed.err;
  EXPECT_FALSE(parsed.invocation.globals.reconnect);
  EXPECT_EQ(parsed.invocation.globals.connect_timeout, std::chrono::milliseconds(250));
}

TEST_F(App, APayloadMayLookLikeAVerbOrAnOption) {
  EXPECT_EQ(parse_line({"pub", "status", "ping"}).ended, std::nullopt);
  EXPECT_EQ(parse_line({"pub", "t", "--", "-5"}).ended, std::nullopt);
  EXPECT_EQ(parse_line({"pub", "t", ""}).ended, std::nullopt);
  EXPECT_EQ(parse_line({"pub", "t", "[1,2]"}).ended, std::nullopt);
  EXPECT_EQ(parse_line({"pub", "t", "{}"}).ended, std::nullopt);
}

TEST_F(App, RepeatableOptionsTakeOneValueEach) {
  const Parsed parsed = parse_line(
      {"pub", "-H", "a=1", "-H", "b=2", "--need", "memory", "--need", "all", "topic", "payload"});
  EXPECT_EQ(parsed.ended, std::nullopt) << parsed.err;
}

TEST_F(App, AnUnknownVerbIsNamedWithWhatWasMeant) {
  EXPECT_EQ(usage_error({"subscribe", "a.>", "--count", "3"}),
            "sluice: unknown verb 'subscribe'; did you mean 'sub'?\nsee: sluice --help\n");
  EXPECT_EQ(usage_error({"frobnicate"}), "sluice: unknown verb 'frobnicate'\nsee: sluice --help\n");
}

TEST_F(App, AnUnknownOptionIsNamedWithWhatWasMeant) {
  EXPECT_EQ(usage_error({"sub", "a.>", "--cuont", "3"}),
            "sluice sub: unknown option '--cuont'; did you mean '--count'? (write -- before a "
            "value that begins with a dash)\nsee: sluice sub --help\n");
  EXPECT_EQ(usage_error({"ping", "--servr=x"}),
            "sluice ping: unknown option '--servr'; did you mean '--server'? (write -- before a "
            "value that begins with a dash)\nsee: sluice ping --help\n");
}

TEST_F(App, AnArgumentTooManyIsNamed) {
  EXPECT_EQ(usage_error({"pub", "t", "p", "q"}),
            "sluice pub: unexpected argument 'q'\nsee: sluice pub --help\n");
  EXPECT_EQ(usage_error({"pub", "t", "p", "status"}),
            "sluice pub: unexpected argument 'status'\nsee: sluice pub --help\n");
}

TEST_F(App, NothingAtAllIsAnsweredWithHelp) {
  const std::string help = usage_error({});
  EXPECT_NE(help.find("sub "), std::string::npos);
  EXPECT_NE(help.find("Exit status"), std::string::npos);
}

struct BadValue {
  std::vector<std::string> line;
  std::string message;
};

TEST_F(App, EachBadValueIsNamedWithItsOption) {
  const std::vector<BadValue> cases = {
      {{"sub", "a", "--count", "x"}, "--count: 'x' is not a whole number of at least 1"},
      {{"sub", "a", "--count", "0"}, "--count: '0' is not a whole number of at least 1"},
      {{"sub", "a", "--count", "-1"}, "--count: '-1' is not a whole number of at least 1"},
      {{"sub", "a", "--timeout", "5"}, "--timeout: "},
      {{"sub", "a", "--queue-messages", "many"}, "--queue-messages: 'many' is not a whole"},
      {{"sub", "a", "--queue-bytes", "5XB"}, "--queue-bytes: "},
      {{"sub", "a", "--max-lag", "soon"}, "--max-lag: "},
      {{"sub", "a", "--slow", "1x"}, "--slow: "},
      {{"sub", "a", "--credit", "0"}, "--credit: '0' is not"},
      {{"sub", "a", "--queue-bytes", "0"}, "--queue-bytes: '0' is not more than 0; leave it out"},
      {{"sub", "a", "--max-lag", "0s"}, "--max-lag: '0s' is not more than 0; leave it out"},
      {{"sub", "a", "--timeout", "0"}, "--timeout: '0' is not more than 0; leave it out"},
      {{"pub", "t", "p", "--deadline", "0s"}, "--deadline: '0s' is not more than 0; leave it out"},
      {{"audit", "--since", "0s"}, "--since: '0s' is not more than 0; leave it out"},
      {{"sub", "a", "--queue-messages", "99999999999"},
       "--queue-messages: '99999999999' is more than 4294967295, the most that can be asked for"},
      {{"sub", "a", "--count", "99999999999999999999"},
       "--count: '99999999999999999999' is more than 18446744073709551615, the most"},
      {{"sub", "a", "--credit", "9999999999999999999"},
       "--credit: '9999999999999999999' is more than 4611686018427387903, the most"},
      {{"sub", "a", "--format", "jsn"}, "--format: 'jsn' is no format; did you mean 'json'?"},
      {{"sub", "a", "--format", "%q"}, "--format: '%q' at character 1: unknown"},
      {{"sub"}, "FILTER is required"},
      {{"pub", "t", "p", "-H", "x"}, "--header: 'x' is not NAME=VALUE"},
      {{"pub", "t", "p", "--need", "dsk"}, "--need: 'dsk' is no need; did you mean 'disk'?"},
      {{"pub", "t", "p", "--count", "1.5"}, "--count: '1.5' is not a whole number"},
      {{"pub", "t", "p", "--deadline", "x"}, "--deadline: "},
      {{"request"}, "TOPIC is required"},
      {{"request", "t", "--timeout", "x"}, "--timeout: "},
      {{"reply"}, "FILTER is required"},
      {{"bench", "--mode", "fanot"}, "--mode: 'fanot' is not 1:1, fanout or fanin; did you mean"},
      {{"bench", "--seconds", "0"}, "--seconds: '0' is not a number of seconds"},
      {{"bench", "--size", "big"}, "--size: "},
      {{"bench", "--rate", "0"}, "--rate: '0' is not a whole number of at least 1"},
      {{"ping", "-o", "jsno"}, "--output: 'jsno' is not table or json; did you mean 'json'?"},
      {{"ping", "--count"}, "--count"},
      {{"ping", "--connect-timeout", "1"}, "--connect-timeout: "},
      {{"completion", "bsh"}, "'bsh' is not bash, zsh or fish; did you mean 'bash'?"},
      {{"completion"}, "SHELL is required"},
  };
  for (const BadValue& bad : cases) {
    const std::string err = usage_error(bad.line);
    EXPECT_NE(err.find("sluice " + bad.line.front() + ": "), std::string::npos) << err;
    EXPECT_NE(err.find(bad.message), std::string::npos) << err << "expected: " << bad.message;
    EXPECT_NE(err.find("\nsee: sluice " + bad.line.front() + " --help\n"), std::string::npos)
        << err;
  }
}

TEST_F(App, VersionAndHelpAreNoErrors) {
  const Parsed version = parse_line({"--version"});
  EXPECT_EQ(version.ended, ExitCode::kOk);
  EXPECT_EQ(version.out, "sluice " SLUICE_VERSION "\n");
  EXPECT_EQ(version.err, "");
}

// Compares with a file beside this one. With SLUICE_UPDATE_GOLDEN set it is written anew.
void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(GOLDEN_DIR) + "/" + name;
  if (std::getenv("SLUICE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  const std::string expected((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(text, expected) << path;
}

TEST_F(App, TheHelpOfEachVerbIsAsItWasReviewed) {
  Invocation invocation;
  const auto app = make_app(invocation);
  expect_golden("help.txt", parse_line({"--help"}).out);
  for (const CLI::App* verb : app->get_subcommands([](const CLI::App*) { return true; })) {
    const Parsed help = parse_line({verb->get_name(), "--help"});
    EXPECT_EQ(help.ended, ExitCode::kOk);
    expect_golden("help_" + verb->get_name() + ".txt", help.out);
  }
}

}  // namespace
}  // namespace sluice::cli
