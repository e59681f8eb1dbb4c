#include "cli/completion.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <memory>
#include <vector>

#include "cli/arguments.h"
#include "cli/report.h"
#include "cli/suggest.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

struct OptionModel {
  std::vector<std::string> names;  // "-n", "--count"; of a positional: empty
  std::string text;
  std::vector<std::string> choices;  // values to offer
  bool takes_value = false;
  bool takes_file = false;
};

struct VerbModel {
  std::string name;
  std::string text;
  std::vector<OptionModel> options;
};

struct Model {
  std::vector<OptionModel> globals;
  std::vector<VerbModel> verbs;
};

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == by) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::vector<OptionModel> options_of(const CLI::App& app) {
  std::vector<OptionModel> models;
  for (const CLI::Option* option : app.get_options()) {
    // Every verb has --help, and so has the program: once is enough.
    if (option == app.get_help_ptr() && app.get_parent() != nullptr) continue;
    OptionModel model;
    for (const std::string& name : option->get_snames()) model.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) model.names.push_back("--" + name);
    model.text = option->get_description();
    model.takes_value = option->get_items_expected_max() > 0;
    model.takes_file = option->get_type_name() == "FILE";
    if (option->get_type_name().find('|') != std::string::npos) {
      model.choices = split(option->get_type_name(), '|');
    }
    models.push_back(std::move(model));
  }
  return models;
}

Model model_of(const CLI::App& app) {
  Model model;
  model.globals = options_of(app);
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    model.verbs.push_back({verb->get_name(), verb->get_description(), options_of(*verb)});
  }
  return model;
}

std::vector<std::string> names_of(const std::vector<OptionModel>& options) {
  std::vector<std::string> names;
  for (const OptionModel& option : options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

std::vector<std::string> verb_names(const Model& model) {
  std::vector<std::string> names;
  for (const VerbModel& verb : model.verbs) names.push_back(verb.name);
  return names;
}

// What a positional argument of the verb may be, where that is known.
std::vector<std::string> argument_choices(const VerbModel& verb) {
  for (const OptionModel& option : verb.options) {
    if (option.names.empty() && !option.choices.empty()) return option.choices;
  }
  return {};
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

std::string first_sentence(const std::string& text) {
  const std::size_t end = text.find_first_of(";:(");
  std::string sentence = text.substr(0, end);
  sentence.erase(sentence.find_last_not_of(' ') + 1);
  return sentence;
}

// In single quotes of a POSIX shell.
std::string quoted(const std::string& text) { return "'" + replaced(text, "'", "'\\''") + "'"; }

// One branch of `case $previous`: what may follow an option that takes a value.
std::string bash_value_case(const OptionModel& option) {
  std::string action = "COMPREPLY=()";
  if (!option.choices.empty()) {
    action =
        fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$word\"))", fmt::join(option.choices, " "));
  } else if (option.takes_file) {
    action = "COMPREPLY=($(compgen -f -- \"$word\"))";
  }
  return fmt::format("    {}) {}; return ;;\n", fmt::join(option.names, "|"), action);
}

std::string bash_value_cases(const Model& model) {
  std::map<std::string, std::string> cases;  // by name: verbs share options
  const auto add = [&cases](const std::vector<OptionModel>& options) {
    for (const OptionModel& option : options) {
      if (!option.takes_value || option.names.empty()) continue;
      cases.emplace(option.names.back(), bash_value_case(option));
    }
  };
  add(model.globals);
  for (const VerbModel& verb : model.verbs) add(verb.options);
  std::string out;
  for (const auto& [name, text] : cases) out += text;
  return out;
}

std::string zsh_option(const OptionModel& option) {
  std::string text = first_sentence(option.text);
  text = replaced(replaced(text, "[", "("), "]", ")");
  std::string value;
  if (option.takes_value) {
    value = ":value:";
    if (!option.choices.empty()) {
      value += fmt::format("({})",
                           replaced(fmt::format("{}", fmt::join(option.choices, " ")), ":", "\\:"));
    } else if (option.takes_file) {
      value += "_files";
    }
  }
  std::string out;
  for (const std::string& name : option.names) {
    out += " \\\n      " + quoted(fmt::format("*{}[{}]{}", name, text, value));
  }
  return out;
}

std::string zsh_options(const std::vector<OptionModel>& options) {
  std::string out;
  for (const OptionModel& option : options) out += zsh_option(option);
  return out;
}

std::string fish_option(const OptionModel& option, const std::string& condition) {
  if (option.names.empty()) return {};
  std::string line = "complete -c sluice";
  if (!condition.empty()) line += " -n " + quoted(condition);
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!option.choices.empty()) {
    line += fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
  } else if (option.takes_value) {
    line += option.takes_file ? " -r -F" : " -x";
  }
  return line + " -d '" + replaced(first_sentence(option.text), "'", "\\'") + "'\n";
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  const Model model = model_of(app);
  std::string verb_cases;
  for (const VerbModel& verb : model.verbs) {
    verb_cases +=
        fmt::format("    {}) options='{}' arguments='{}' ;;\n", verb.name,
                    fmt::join(names_of(verb.options), " "), fmt::join(argument_choices(verb), " "));
  }
  return fmt::format(
      R"(# bash completion of sluice, written by: sluice completion bash
_sluice() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local verb='' options='' arguments='{0}' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
      {1}) verb=${{COMP_WORDS[i]}}; break ;;
    esac
  done
  case $previous in
{2}  esac
  case $verb in
{3}  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options {4}" -- "$word"))
  else
    COMPREPLY=($(compgen -W "$arguments" -- "$word"))
  fi
}}
complete -o default -F _sluice sluice
)",
      fmt::join(verb_names(model), " "), fmt::join(verb_names(model), "|"), bash_value_cases(model),
      verb_cases, fmt::join(names_of(model.globals), " "));
}

std::string zsh_completion(const CLI::App& app) {
  const Model model = model_of(app);
  std::string verbs;
  std::string cases;
  for (const VerbModel& verb : model.verbs) {
    verbs += "    " + quoted(verb.name + ":" + replaced(verb.text, ":", "\\:")) + "\n";
    const std::vector<std::string> choices = argument_choices(verb);
    const std::string rest = choices.empty()
                                 ? "*:argument:_files"
                                 : fmt::format("*:argument:({})", fmt::join(choices, " "));
    cases += fmt::format("    {}) _arguments -s{}{} \\\n      {} ;;\n", verb.name,
                         zsh_options(verb.options), zsh_options(model.globals), quoted(rest));
  }
  return fmt::format(
      R"(#compdef sluice
# zsh completion of sluice, written by: sluice completion zsh
_sluice() {{
  local curcontext=$curcontext state line
  local -a verbs=(
{0}  )
  _arguments -C{1} \
      '1: :->verb' '*:: :->rest'
  [[ $state == verb ]] && _describe verb verbs
  [[ $state == rest ]] || return
  case $line[1] in
{2}  esac
}}
compdef _sluice sluice
)",
      verbs, zsh_options(model.globals), cases);
}

std::string fish_completion(const CLI::App& app) {
  const Model model = model_of(app);
  const std::string all = fmt::format("{}", fmt::join(verb_names(model), " "));
  std::string out = "# fish completion of sluice, written by: sluice completion fish\n";
  for (const OptionModel& option : model.globals) out += fish_option(option, {});
  for (const VerbModel& verb : model.verbs) {
    out +=
        fmt::format("complete -c sluice -f -n 'not __fish_seen_subcommand_from {}' -a {} -d '{}'\n",
                    all, verb.name, replaced(verb.text, "'", "\\'"));
    const std::string condition = "__fish_seen_subcommand_from " + verb.name;
    for (const OptionModel& option : verb.options) out += fish_option(option, condition);
    const std::vector<std::string> choices = argument_choices(verb);
    if (choices.empty()) continue;
    out +=
        fmt::format("complete -c sluice -f -n '{}' -a '{}'\n", condition, fmt::join(choices, " "));
  }
  return out;
}

void add_completion(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("completion", "Print a completion script for a shell");
  auto script = std::make_shared<std::string (*)(const CLI::App&)>(nullptr);
  add_value(
      *verb, "SHELL", "bash|zsh|fish",
      [script](const std::string& shell) -> std::string {
        if (shell == "bash") *script = bash_completion;
        if (shell == "zsh") *script = zsh_completion;
        if (shell == "fish") *script = fish_completion;
        if (*script != nullptr) return {};
        return fmt::format("'{}' is not bash, zsh or fish{}", shell,
                           did_you_mean(shell, {"bash", "zsh", "fish"}));
      },
      "For bash: source <(sluice completion bash)")
      ->required();
  verb->callback([&app, &invocation, script] {
    invocation.action = [&app, script](const Globals& globals) {
      return print(globals, (*script)(app));
    };
  });
}

}  // namespace sluice::cli
