#include "broker/config/toml_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <toml.hpp>
#include <tuple>

namespace sluice::config {
namespace {

using Value = toml::basic_value<toml::discard_comments, std::map>;

constexpr std::size_t kFileBytesMax = 256U << 10;
constexpr std::size_t kDepthMax = 64;
// The one array of tables that there is.
constexpr std::string_view kLimitTable = "limit";

/// A place in the file, from 1.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
  std::size_t length = 1;
};

class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : name_(name) {
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      std::string_view line = text.substr(at, end - at);
      if (line.ends_with('\r')) line.remove_suffix(1);
      lines_.push_back(line);
      at = end + 1;
    }
  }

  Origin origin(const Place& place) const {
    return {name_ + ":" + std::to_string(place.line) + ":" + std::to_string(place.column),
            excerpt(place.line, line(place.line), place.column, place.length)};
  }

  void add_table(const Value::table_type& table, const std::string& path) {
    for (const auto& [key, value] : table) {
      const std::string inner = path.empty() ? key : path + "." + key;
      if (path.empty() && key == kLimitTable && is_array_of_tables(value)) {
        for (const Value& element : value.as_array()) add_element(key, element);
      } else if (value.is_table()) {
        add_entry(path, key, value, true);
        add_table(value.as_table(), inner);
      } else {
        add_entry(path, key, value, false);
      }
    }
  }

  std::vector<TomlEntry> take_entries() {
    std::sort(placed_.begin(), placed_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
    });
    std::vector<TomlEntry> entries;
    for (Placed& placed : placed_) entries.push_back(std::move(placed.entry));
    return entries;
  }

  std::string_view line(std::size_t number) const {
    return number >= 1 && number <= lines_.size() ? lines_[number - 1] : std::string_view{};
  }

  static bool is_array_of_tables(const Value& value) {
    if (!value.is_array()) return false;
    const auto& elements = value.as_array();
    return std::all_of(elements.begin(), elements.end(),
                       [](const Value& element) { return element.is_table(); });
  }

  void add_element(const std::string& key, const Value& element) {
    const std::size_t begin = placed_.size();
    add_entry("", key, element, true);
    for (const auto& [inner, value] : element.as_table()) add_entry(key, inner, value, false);
    for (std::size_t i = begin; i < placed_.size(); ++i) placed_[i].entry.in_array = true;
  }

 private:
  struct Placed {
    Place place;
    TomlEntry entry;
  };

  void add_entry(const std::string& table, const std::string& key, const Value& value,
                 bool is_table) {
    const toml::source_location location = value.location();
    const Place at_value{location.line(), location.column(), location.region()};
    const Place at_key = place_of_key(key, at_value, is_table);
    TomlEntry entry{table, key,      origin(at_key), is_table ? origin(at_key) : origin(at_value),
                    {},    is_table, false};
    if (!is_table) entry.given = given(value, at_value);
    placed_.push_back({at_key, std::move(entry)});
  }

  /// The parser keeps no place for keys; a key stands before its value, or in the table's header.
  Place place_of_key(const std::string& key, const Place& at_value, bool is_table) const {
    const std::string_view text = line(at_value.line);
    const std::size_t before = std::min(at_value.column - 1, text.size());
    const std::size_t found = is_table && text.substr(before).starts_with("[")
                                  ? text.find(key, before)
                                  : text.substr(0, before).rfind(key);
    if (key.empty() || found == std::string_view::npos) return at_value;
    return {at_value.line, found + 1, key.size()};
  }

  Given given(const Value& value, const Place& place) const {
    if (value.is_string()) return value.as_string().str;
    if (value.is_boolean()) return value.as_boolean();
    if (value.is_integer()) {
      // The parser wraps what does not fit; as text it is refused with the right words.
      const std::string_view written = line(place.line).substr(place.column - 1, place.length);
      std::string digits;
      for (const char c : written) {
        if (c != '_' && c != '+') digits += c;
      }
      const bool decimal = std::all_of(digits.begin(), digits.end(),
                                       [](char c) { return c == '-' || (c >= '0' && c <= '9'); });
      if (decimal && digits != std::to_string(value.as_integer())) return digits;
      return value.as_integer();
    }
    if (!value.is_array()) return std::monostate{};
    std::vector<std::string> texts;
    for (const Value& entry : value.as_array()) {
      if (!entry.is_string()) return std::monostate{};
      texts.push_back(entry.as_string().str);
    }
    return texts;
  }

  std::string name_;
  std::vector<std::string_view> lines_;
  std::vector<Placed> placed_;
};

/// The first line of the parser's report without the name of its function.
std::string headline(std::string_view report) {
  std::string_view first = report.substr(0, report.find('\n'));
  const std::size_t function = first.find("toml::");
  const std::size_t colon =
      function == std::string_view::npos ? function : first.find(": ", function);
  return std::string(colon == std::string_view::npos ? first : first.substr(colon + 2));
}

/// Line and column of the last caret in the parser's report, which draws more exactly than it
/// counts; what stands behind the caret is added to `message`.
Place caret_of(std::string_view report, Place place, std::string& message) {
  std::istringstream lines{std::string(report)};
  std::string line;
  std::size_t number = place.line;
  while (std::getline(lines, line)) {
    const std::size_t bar = line.find(" | ");
    if (bar == std::string::npos) continue;
    const std::size_t digit = line.find_first_of("0123456789");
    if (digit < bar) {
      number = std::strtoul(line.c_str() + digit, nullptr, 10);
      continue;
    }
    const std::size_t caret = line.find("^---");
    if (caret == std::string::npos) continue;
    place = {number, caret - (bar + 3) + 1, 1};
    const std::string note = line.substr(std::min(line.size(), caret + 5));
    if (note.starts_with("expected") || note.starts_with("should")) message += ": " + note;
  }
  return place;
}

Problem syntax_problem(const toml::syntax_error& error, const Reader& reader) {
  std::string message = headline(error.what());
  const toml::source_location& location = error.location();
  const Place place = caret_of(error.what(), {location.line(), location.column(), 1}, message);
  const std::string_view line = reader.line(place.line);
  const std::size_t at = place.column - 1;
  // 64MiB without quotes is the likeliest mistake of all, and the parser cannot know.
  const bool unit =
      at > 0 && at < line.size() && std::isdigit(line[at - 1]) != 0 && std::isalpha(line[at]) != 0;
  if (unit) message = "sizes and durations are written in quotes, like \"64MiB\" or \"250ms\"";
  return {reader.origin(place), message};
}

/// The parser recurses into brackets, so their depth is bounded before it sees them. Brackets in
/// texts and comments count as well; no sensible file comes near.
bool nested_too_deeply(std::string_view text) {
  std::size_t depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (depth > kDepthMax) return true;
  }
  return false;
}

}  // namespace

TomlFile parse_toml(std::string_view text, const std::string& name) {
  TomlFile file;
  if (text.size() > kFileBytesMax) {
    file.problems.push_back({{name, {}}, "is larger than 256 KiB"});
    return file;
  }
  if (nested_too_deeply(text)) {
    file.problems.push_back({{name, {}}, "has more than 64 brackets inside one another"});
    return file;
  }
  Reader reader(text, name);
  try {
    std::istringstream in{std::string(text)};
    const Value root = toml::parse<toml::discard_comments, std::map>(in, name);
    reader.add_table(root.as_table(), "");
    file.entries = reader.take_entries();
  } catch (const toml::syntax_error& error) {
    file.problems.push_back(syntax_problem(error, reader));
  } catch (const std::exception& error) {
    file.problems.push_back({{name, {}}, "cannot be read as TOML: " + headline(error.what())});
  }
  return file;
}

TomlFile read_toml(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  if (in) {
    text.resize(kFileBytesMax + 1);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
  }
  if (!in.is_open() || in.bad() || (in.fail() && !in.eof())) {
    TomlFile file;
    file.problems.push_back({{path, {}}, std::string("cannot be read: ") + std::strerror(errno)});
    return file;
  }
  return parse_toml(text, path);
}

}  // namespace sluice::config
