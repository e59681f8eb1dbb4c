#include "tests/bench/load/usage.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

namespace sluice::bench {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The number at the front of `text` behind any blanks; moves past it.
std::uint64_t take_number(std::string_view& text) {
  const std::size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return 0;
  text.remove_prefix(start);
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
  return value;
}

void skip_word(std::string_view& text) {
  const std::size_t start = text.find_first_not_of(' ');
  const std::size_t end = start == std::string_view::npos ? start : text.find(' ', start);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end);
}

}  // namespace

std::uint64_t ticks_in_stat(std::string_view stat) {
  // The command's name, field 2, may hold blanks and parentheses: count from its end.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return 0;
  stat.remove_prefix(name_end + 1);
  for (int field = 3; field < 14; ++field) skip_word(stat);
  const std::uint64_t user = take_number(stat);
  return user + take_number(stat);
}

std::uint64_t kib_in_status(std::string_view status, std::string_view name) {
  const std::size_t at = status.find(name);
  if (at == std::string_view::npos) return 0;
  status.remove_prefix(at + name.size());
  return take_number(status);
}

Usage usage_of(int pid) {
  const std::string folder = "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid));
  const std::string status = read_file(folder + "/status");
  const auto ticks = static_cast<double>(ticks_in_stat(read_file(folder + "/stat")));
  return {.cpu_seconds = ticks / static_cast<double>(sysconf(_SC_CLK_TCK)),
          .rss_kib = kib_in_status(status, "VmRSS:"),
          .peak_kib = kib_in_status(status, "VmHWM:")};
}

}  // namespace sluice::bench
