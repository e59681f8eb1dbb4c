#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/report.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "cli/verbs.h"

namespace sluice::cli {
namespace {

using base::ErrorInfo;
using Json = nlohmann::ordered_json;

/// A word of receipts, gaps or states.
struct Word {
  std::string_view kind;
  std::string_view name;
  std::string_view text;
  std::string_view remedy;
};

constexpr std::string_view kind_of(std::string_view kind) {
  return kind == "gap" ? "gap reason" : kind == "receipt" ? "receipt status" : "limited by";
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

/// A word may be one of several kinds, as "rejected" is.
ExitCode explain_words(const Globals& globals, const std::vector<Word>& words) {
  if (globals.json) {
    Json rows = Json::array();
    for (const Word& word : words) {
      rows.push_back(word_json(word));
    }
    return print(globals, rows.dump() + '\n');
  }
  std::string text;
  for (const Word& word : words) {
    text += fmt::format("{} ({})\n  what:  {}\n  do:    {}\n", word.name, word.kind, word.text,
                        word.remedy);
  }
  return print(globals, text);
}

ExitCode explain(const Globals& globals, const std::string& code) {
  const ErrorInfo* row = base::find_error(code);
  if (row == nullptr) {
    std::vector<std::string> names;
    std::vector<Word> words;
    for (const Word& word : kWords) {
      names.emplace_back(word.name);
      if (word.name == code) words.push_back(word);
    }
    if (!words.empty()) return explain_words(globals, words);
    for (const ErrorInfo* known : all_errors()) names.emplace_back(known->name);
    print_error(globals, fmt::format("no error '{}'{}; `sluice errors` lists all", code,
                                     did_you_mean(code, names)));
    return ExitCode::kUsage;
  }
  if (globals.json) return print(globals, row_json(*row).dump() + '\n');
  return print(globals,
               fmt::format("{} ({})\n  what:  {}\n  class: {}: {}\n  do:    {}\n", row->name,
                           number_of(*row), row->text, class_name(row->error_class),
                           class_text(row->error_class), row->remedy));
}

}  // namespace

void add_errors(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("errors", "Explain an error code or a word of receipts, or list all");
  auto code = std::make_shared<std::string>();
  verb->add_option("CODE", *code, "Name or number, as errors are printed");
  verb->callback([&invocation, code] {
    invocation.action = [code](const Globals& globals) {
      return code->empty() ? list(globals) : explain(globals, *code);
    };
  });
}

}  // namespace sluice::cli
