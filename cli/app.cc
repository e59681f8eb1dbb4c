#include "cli/app.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <iostream>
#include <sluice/units.h>
#include <sstream>

#include "cli/arguments.h"
#include "cli/suggest.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

constexpr std::size_t kHelpColumn = 34;
constexpr std::size_t kHelpWidth = 100;

void add_global_options(CLI::App& app, Globals& globals) {
  app.add_option("--server", globals.server, "Address of the broker")
      ->envname("SLUICE_SERVER")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  add_value(
      app, "-o,--output", "table|json",
      [&globals](const std::string& value) -> std::string {
        if (value != "table" && value != "json") {
          return fmt::format("'{}' is not table or json{}", value,
                             did_you_mean(value, {"table", "json"}));
        }
        globals.json = value == "json";
        return {};
      },
      "How results are printed: for people, or as stable JSON");
  add_duration(app, "--connect-timeout", globals.connect_timeout,
               "How long connecting may take; 5s by default");
  app.add_flag("-q,--quiet", globals.quiet, "Print errors alone, no notes and no summary");
  app.add_flag_callback(
      "--no-reconnect", [&globals] { globals.reconnect = false; },
      "End when the connection is lost, where a verb would connect again");
}

std::vector<std::string> verb_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(verb->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

const CLI::App* chosen_verb(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? nullptr : chosen.front();
}

// What stands on the command line and has no meaning there.
std::string unexpected(const CLI::App& app, const CLI::App* verb, const std::string& word) {
  if (word.size() > 1 && word.front() == '-') {
    std::vector<std::string> known = option_names(app);
    if (verb != nullptr) {
      const std::vector<std::string> own = option_names(*verb);
      known.insert(known.end(), own.begin(), own.end());
    }
    const std::string name = word.substr(0, word.find('='));
    return fmt::format("unknown option '{}'{} (write -- before a value that begins with a dash)",
                       name, did_you_mean(name, known));
  }
  if (verb == nullptr) {
    return fmt::format("unknown verb '{}'{}", word, did_you_mean(word, verb_names(app)));
  }
  return fmt::format("unexpected argument '{}'", word);
}

ExitCode usage_error(const CLI::App& app, std::ostream& err, const std::string& text) {
  const CLI::App* verb = chosen_verb(app);
  const std::string name = verb == nullptr ? "sluice" : "sluice " + verb->get_name();
  err << name << ": " << text << "\nsee: " << name << " --help\n";
  return ExitCode::kUsage;
}

// The global options, for the end of each verb's help.
std::string global_footer(const CLI::App& app) {
  std::string line = "Global options:";
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().back();
    if (name != "help" && name != "version") line += " --" + name;
  }
  return line + " (see: sluice --help)";
}

// CLI11 leaves descriptions on one line each; what is too wide goes on below its beginning.
std::string wrapped(const std::string& help) {
  std::istringstream lines(help);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    while (line.size() > kHelpWidth) {
      const std::size_t space = line.rfind(' ', kHelpWidth);
      if (space == std::string::npos || space <= kHelpColumn) break;
      out += line.substr(0, space) + '\n';
      line = std::string(kHelpColumn, ' ') + line.substr(space + 1);
    }
    out += line + '\n';
  }
  return out;
}

constexpr std::string_view kFooter =
    "Exit status: 0 done, 1 failed, 2 usage, 3 cannot connect, 4 not accepted,\n"
    "  5 time over or fewer messages than asked for, 6 no responders, 130 interrupted\n"
    "Examples:\n"
    "  sluice sub 'orders.>'\n"
    "  sluice pub orders.eu.created hello --receipt\n"
    "  sluice status";

}  // namespace

std::unique_ptr<CLI::App> make_app(Invocation& invocation) {
  auto app = std::make_unique<CLI::App>("Sluice: publish and subscribe, and know what became of it",
                                        "sluice");
  app->fallthrough();
  app->require_subcommand(0, 1);
  app->get_formatter()->column_width(kHelpColumn);
  app->set_help_flag("-h,--help", "Print this help");
  app->set_version_flag("--version", "sluice " SLUICE_VERSION, "Print the version");
  add_global_options(*app, invocation.globals);
  app->footer(std::string(kFooter));
  add_pub(*app, invocation);
  add_sub(*app, invocation);
  add_request(*app, invocation);
  add_reply(*app, invocation);
  add_bench(*app, invocation);
  add_ping(*app, invocation);
  add_status(*app, invocation);
  add_audit(*app, invocation);
  add_drops(*app, invocation);
  add_explain(*app, invocation);
  add_subscription(*app, invocation);
  add_rehearse(*app, invocation);
  add_limit(*app, invocation);
  add_plan(*app, invocation);
  add_errors(*app, invocation);
  add_version(*app, invocation);
  add_completion(*app, invocation);
  for (CLI::App* verb : app->get_subcommands([](CLI::App*) { return true; })) {
    verb->footer(global_footer(*app));
  }
  return app;
}

std::optional<ExitCode> parse(CLI::App& app, Invocation& invocation,
                              std::vector<std::string> arguments, std::ostream& out,
                              std::ostream& err) {
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes a vector
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    out << wrapped(app.help());
    return ExitCode::kOk;
  } catch (const CLI::CallForVersion& version) {
    out << version.what() << '\n';
    return ExitCode::kOk;
  } catch (const CLI::ExtrasError&) {
    const CLI::App* verb = chosen_verb(app);
    std::vector<std::string> words = app.remaining(true);
    std::erase(words, "--");
    return usage_error(app, err, unexpected(app, verb, words.empty() ? "--" : words.front()));
  } catch (const CLI::ParseError& error) {
    return usage_error(app, err, error.what());
  }
  if (const CLI::App* verb = chosen_verb(app)) {
    invocation.globals.verb = verb->get_name();
    return std::nullopt;
  }
  err << wrapped(app.help());
  return ExitCode::kUsage;
}

int run(int argc, char** argv) {
  Invocation invocation;
  const auto app = make_app(invocation);
  const auto ended = parse(*app, invocation, std::vector<std::string>(argv + 1, argv + argc),
                           std::cout, std::cerr);
  const ExitCode code = ended ? *ended : invocation.action(invocation.globals);
  return static_cast<int>(code);
}

}  // namespace sluice::cli
