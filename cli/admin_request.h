// admin_request.h: one administrative question to a broker, and its answer as JSON.
//
// Thread:   main.
// Errors:   what is told on standard error ends as an exit code.
// Tests:    tests/integration/cli/explain_test.py

#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/globals.h"
#include "cli/runtime.h"

namespace sluice::cli {

using Json = nlohmann::ordered_json;

/// A name from a client, safe for a terminal; empty where it is missing.
std::string word(const Json& row, const char* name);
std::uint64_t count_of(const Json& row, const char* name);
/// "1 234"
std::string number(const Json& row, const char* name);
/// Several words, parted by spaces.
std::string words(const Json& row, const char* name);

/// The answer to `verb`; the text that the broker sent with an error stands in it.
Result<Json> ask(Runtime& runtime, Client& client, Duration timeout, const std::string& verb,
                 const Json& body);
Result<Json> ask(Runtime& runtime, Client& client, const async::Context& context,
                 const std::string& verb, const Json& body);

/// Asks once and prints: with -o json the answer as it is, else what `text` makes of it. `code`
/// says what to exit with when all went well.
ExitCode ask_and_print(const Globals& globals, Duration timeout, const std::string& verb,
                       const Json& body, const std::function<std::string(const Json&)>& text,
                       const std::function<ExitCode(const Json&)>& code);

}  // namespace sluice::cli
