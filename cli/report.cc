#include "cli/report.h"

#include <cstdio>
#include <string>
#include <unistd.h>

#include "cli/output.h"

namespace sluice::cli {
namespace {

void print_line(const std::string& line) { std::fwrite(line.data(), 1, line.size(), stderr); }

std::string prefix(const Globals& globals) {
  return globals.verb.empty() ? "sluice: " : "sluice " + globals.verb + ": ";
}

}  // namespace

void print_error(const Globals& globals, std::string_view text) {
  print_line(prefix(globals) + std::string(text) + '\n');
}

ExitCode report(const Globals& globals, std::string_view what, const Error& error) {
  print_error(globals, std::string(what) + ": " + error.message());
  return exit_code_of(error);
}

void note(const Globals& globals, std::string_view text) {
  if (!globals.quiet) print_error(globals, text);
}

void print_summary(const Globals& globals, std::string_view text) {
  if (!globals.quiet) print_line(std::string(text) + '\n');
}

ExitCode print(const Globals& globals, std::string_view text) {
  Output out(STDOUT_FILENO);
  out.append(text);
  const Status& status = out.flush();
  if (status || status.error().code == ErrorCode::kClosed) return ExitCode::kOk;
  return report(globals, "cannot print", status.error());
}

}  // namespace sluice::cli
