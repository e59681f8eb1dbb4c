#include "tests/bench/load/usage.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
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

}  // namespace

std::uint64_t ns_in_schedstat(std::string_view schedstat) { return take_number(schedstat); }

std::uint64_t kib_in_status(std::string_view status, std::string_view name) {
  const std::size_t at = status.find(name);
  if (at == std::string_view::npos) return 0;
  status.remove_prefix(at + name.size());
  return take_number(status);
}

Usage usage_of(int pid) {
  const std::string folder = "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid));
  const std::string status = read_file(folder + "/status");
  std::uint64_t cpu_ns = 0;
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator(folder + "/task", gone)) {
    cpu_ns += ns_in_schedstat(read_file(task.path() / "schedstat"));
  }
  return {.cpu_seconds = static_cast<double>(cpu_ns) / 1e9,
          .rss_kib = kib_in_status(status, "VmRSS:"),
          .peak_kib = kib_in_status(status, "VmHWM:")};
}

}  // namespace sluice::bench
