// A filter, a line feed, a topic: both are checked, and matched, as a simple model does it.

#include <cstdint>
#include <string_view>
#include <vector>

#include "libs/base/assert.h"
#include "libs/wire/topic_name.h"

namespace sluice::wire {
namespace {

/// Reads one code point the slow way; -1 where there is none.
std::int64_t take_code_point(std::string_view& rest) {
  const auto lead = static_cast<std::uint8_t>(rest[0]);
  const int more = lead < 0x80       ? 0
                   : lead >> 5 == 6  ? 1
                   : lead >> 4 == 14 ? 2
                   : lead >> 3 == 30 ? 3
                                     : -1;
  if (more < 0 || rest.size() <= static_cast<std::size_t>(more)) return -1;
  std::int64_t point = more == 0 ? lead : lead & (0x3F >> more);
  for (int i = 1; i <= more; ++i) {
    const auto byte = static_cast<std::uint8_t>(rest[static_cast<std::size_t>(i)]);
    if (byte >> 6 != 2) return -1;
    point = point << 6 | (byte & 0x3F);
  }
  constexpr std::int64_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  if (point < kLeast[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return -1;
  rest.remove_prefix(static_cast<std::size_t>(more) + 1);
  return point;
}

bool characters_are_allowed(std::string_view rest) {
  while (!rest.empty()) {
    const std::int64_t point = take_code_point(rest);
    if (point <= 0x20 || (point >= 0x7F && point < 0xA0)) return false;
  }
  return true;
}

std::vector<std::string_view> split(std::string_view name) {
  std::vector<std::string_view> levels;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= name.size(); ++i) {
    if (i != name.size() && name[i] != '.') continue;
    levels.push_back(name.substr(start, i - start));
    start = i + 1;
  }
  return levels;
}

bool model_check(std::string_view name, bool filter) {
  if (name.empty() || name.size() > 255 || !characters_are_allowed(name)) return false;
  const auto levels = split(name);
  if (levels.size() > 16) return false;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (levels[i].empty()) return false;
    if (levels[i].find_first_of("*>") == std::string_view::npos) continue;
    const bool allowed = levels[i] == "*" || (levels[i] == ">" && i + 1 == levels.size());
    if (!filter || !allowed) return false;
  }
  return true;
}

using Levels = std::vector<std::string_view>;

bool model_match(const Levels& filter, const Levels& topic, std::size_t at) {
  if (at == filter.size()) return at == topic.size();
  if (at == topic.size()) return false;
  if (at == 0 && topic[0][0] == '$' && filter[0] != topic[0]) return false;
  if (filter[at] == ">") return true;
  if (filter[at] != "*" && filter[at] != topic[at]) return false;
  return model_match(filter, topic, at + 1);
}

void run(std::string_view input) {
  const std::size_t line = input.find('\n');
  const std::string_view filter = input.substr(0, line);
  const std::string_view topic = line == std::string_view::npos ? "" : input.substr(line + 1);
  for (const std::string_view name : {filter, topic}) {
    ASSERT(check_topic(name).has_value() == model_check(name, false));
    ASSERT(check_filter(name).has_value() == model_check(name, true));
  }
  if (!check_filter(filter) || !check_topic(topic)) return;
  ASSERT(filter_matches(filter, topic) == model_match(split(filter), split(topic), 0));
  ASSERT(filter_matches(topic, topic));
}

}  // namespace
}  // namespace sluice::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::wire::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
