#include "cli/admin_request.h"

#include <fmt/format.h>

#include "cli/json_text.h"
#include "cli/report.h"
#include "cli/table.h"

namespace sluice::cli {

std::string word(const Json& row, const char* name) {
  std::string out;
  append_escaped(out, row.value(name, std::string()));
  return out;
}

std::uint64_t count_of(const Json& row, const char* name) {
  return row.value(name, std::uint64_t{0});
}

std::string number(const Json& row, const char* name) {
  const auto value = row.value(name, std::int64_t{0});
  if (value >= 0) return grouped(static_cast<unsigned long long>(value));
  return "-" + grouped(static_cast<unsigned long long>(-value));
}

std::string words(const Json& row, const char* name) {
  std::string out;
  for (const Json& one : row.value(name, Json::array())) {
    if (!out.empty()) out += ' ';
    append_escaped(out, one.get<std::string>());
  }
  return out;
}

Result<Json> ask(Runtime& runtime, Client& client, Duration timeout, const std::string& verb,
                 const Json& body) {
  async::CancelSource limit = runtime.until(timeout);
  return ask(runtime, client, limit.context(), verb, body);
}

Result<Json> ask(Runtime& runtime, Client& client, const async::Context& context,
                 const std::string& verb, const Json& body) {
  // What is no UTF-8 on the command line is seen by the broker, and told, as far as it can be.
  const std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  auto answer = runtime.wait(client.admin(context, verb, text));
  if (!answer) {
    const Json told = Json::parse(answer.error().detail, nullptr, false);
    if (!told.is_object() || !told.contains("error")) return base::fail(answer.error());
    return base::fail(Error{answer.error().code, word(told, "error")});
  }
  Json parsed = Json::parse(*answer, nullptr, false);
  if (!parsed.is_object()) {
    return base::fail(ErrorCode::kInternal, "the broker's answer is not a JSON object");
  }
  return parsed;
}

ExitCode ask_and_print(const Globals& globals, Duration timeout, const std::string& verb,
                       const Json& body, const std::function<std::string(const Json&)>& text,
                       const std::function<ExitCode(const Json&)>& code) {
  Runtime runtime(globals);
  auto client = runtime.connect(false);
  if (!client) return runtime.cannot_connect(client.error());
  auto answer = ask(runtime, **client, timeout, verb, body);
  if (!answer) return runtime.failed(verb, answer.error());
  try {
    const ExitCode printed = print(globals, globals.json ? answer->dump() + '\n' : text(*answer));
    return printed != ExitCode::kOk ? printed : code(*answer);
  } catch (const Json::exception& error) {
    print_error(globals, fmt::format("the broker's answer has another form than expected ({}); "
                                     "try -o json",
                                     error.what()));
    return ExitCode::kFailure;
  }
}

}  // namespace sluice::cli
