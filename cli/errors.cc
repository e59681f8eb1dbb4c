#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/report.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

using base::ErrorInfo;
using Json = nlohmann::ordered_json;

/// A word of receipts, gaps, states or ends.
struct Word {
  std::string_view kind;
  std::string_view name;
  std::string_view text;
  std::string_view remedy;
};

constexpr std::string_view kind_of(std::string_view kind) {
  constexpr std::pair<std::string_view, std::string_view> kShown[] = {
      {"gap", "gap reason"}, {"receipt", "receipt status"}, {"limited_by", "limited by"},
      {"end", "end reason"}, {"audit", "audit state"},      {"durability", "durability"}};
  for (const auto& [declared, shown] : kShown) {
    if (declared == kind) return shown;
  }
  return {};
}

constexpr Word kWords[] = {
#define X(kind, word, text, remedy) {kind_of(#kind), word, text, remedy},
#include "cli/words.def"
#undef X
};

std::vector<const ErrorInfo*> all_errors() {
  std::vector<const ErrorInfo*> rows;
  for (std::uint16_t number = 1; number < std::numeric_limits<std::uint16_t>::max(); ++number) {
    if (base::is_error_code(number)) {
      rows.push_back(&base::error_info(static_cast<ErrorCode>(number)));
    }
  }
  return rows;
}

std::string_view class_name(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::retry:
      return "retry";
    case ErrorClass::fatal:
      return "fatal";
    case ErrorClass::close:
      return "close";
  }
  return {};
}

std::string_view class_text(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::retry:
      return "the same call may work later";
    case ErrorClass::fatal:
      return "it fails until something is changed";
    case ErrorClass::close:
      return "the connection is closed as well";
  }
  return {};
}

unsigned number_of(const ErrorInfo& row) { return static_cast<unsigned>(row.code); }

Json row_json(const ErrorInfo& row) {
  return {{"code", number_of(row)},
          {"name", row.name},
          {"class", class_name(row.error_class)},
          {"text", row.text},
          {"remedy", row.remedy}};
}

Json word_json(const Word& word) {
  return {{"name", word.name}, {"kind", word.kind}, {"text", word.text}, {"remedy", word.remedy}};
}

ExitCode list(const Globals& globals) {
  if (globals.json) {
    Json rows = Json::array();
    for (const ErrorInfo* row : all_errors()) rows.push_back(row_json(*row));
    for (const Word& word : kWords) rows.push_back(word_json(word));
    return print(globals, rows.dump() + '\n');
  }
  Table table({"CODE", "NAME", "CLASS", "WHAT IT MEANS"});
  for (const ErrorInfo* row : all_errors()) {
    table.add({std::to_string(number_of(*row)), std::string(row->name),
               std::string(class_name(row->error_class)), std::string(row->text)});
  }
  Table words({"WORD", "KIND", "WHAT IT MEANS"});
  for (const Word& word : kWords) {
    words.add({std::string(word.name), std::string(word.kind), std::string(word.text)});
  }
  return print(globals, table.text() + '\n' + words.text());
}

std::vector<Word> words_named(std::string_view name) {
  std::vector<Word> words;
  std::copy_if(std::begin(kWords), std::end(kWords), std::back_inserter(words),
               [name](const Word& word) { return word.name == name; });
  return words;
}

/// "rate_limited(eu)" is a state and what causes it.
std::string without_cause(std::string_view printed) {
  return std::string(printed.substr(0, printed.ends_with(')') ? printed.find('(') : printed.npos));
}

ExitCode not_known(const Globals& globals, const std::string& name) {
  std::vector<std::string> names;
  for (const Word& word : kWords) names.emplace_back(word.name);
  for (const ErrorInfo* known : all_errors()) names.emplace_back(known->name);
  print_error(globals, fmt::format("no error '{}'{}; `sluice errors` lists all", name,
                                   did_you_mean(name, names)));
  return ExitCode::kUsage;
}

Json meanings_json(const ErrorInfo* row, const std::vector<Word>& words) {
  Json meanings = Json::array();
  for (const Word& word : words) meanings.push_back(word_json(word));
  if (row == nullptr) return meanings;
  Json error = row_json(*row);
  if (!meanings.empty()) error["also"] = std::move(meanings);
  return error;
}

/// A name may be that of an error and of words of several kinds, as "internal" and "rejected" are.
ExitCode explain(const Globals& globals, const std::string& printed) {
  const std::string name = without_cause(printed);
  const ErrorInfo* row = base::find_error(name);
  const std::vector<Word> words = words_named(name);
  if (row == nullptr && words.empty()) return not_known(globals, name);
  if (globals.json) return print(globals, meanings_json(row, words).dump() + '\n');
  std::string text;
  if (row != nullptr) {
    text = fmt::format("{} ({})\n  what:  {}\n  class: {}: {}\n  do:    {}\n", row->name,
                       number_of(*row), row->text, class_name(row->error_class),
                       class_text(row->error_class), row->remedy);
  }
  for (const Word& word : words) {
    text += fmt::format("{} ({})\n  what:  {}\n  do:    {}\n", word.name, word.kind, word.text,
                        word.remedy);
  }
  return print(globals, text);
}

}  // namespace

void add_errors(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("errors", "Explain an error code, reason, status or state, or list all");
  auto code = std::make_shared<std::string>();
  verb->add_option("CODE", *code, "Name or number, as errors are printed");
  verb->callback([&invocation, code] {
    invocation.action = [code](const Globals& globals) {
      return code->empty() ? list(globals) : explain(globals, *code);
    };
  });
}

}  // namespace sluice::cli
