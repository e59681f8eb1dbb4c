#include "broker/config/setting.h"

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "broker/config/suggest.h"
#include "libs/base/units.h"

namespace sluice::config {
namespace {

enum Reload : bool { restart = false, live = true };

template <typename Integer>
  requires std::is_integral_v<Integer>
constexpr std::uint64_t to_bound(Integer value) {
  return static_cast<std::uint64_t>(value);
}
constexpr std::uint64_t to_bound(Duration value) {
  return static_cast<std::uint64_t>(value.count());
}

tl::unexpected<base::Error> bad(std::string detail) {
  return base::fail(base::ErrorCode::kBadConfiguration, std::move(detail));
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

/// A bound or value of `setting` as it is written.
std::string show(const Setting& setting, std::uint64_t value) {
  switch (setting.kind) {
    case Kind::kSize:
      return base::format_size(value);
    case Kind::kDuration:
      return base::format_duration(Duration(static_cast<std::int64_t>(value)));
    default:
      return std::to_string(value);
  }
}

base::Status check_bounds(const Setting& setting, std::uint64_t value, std::string_view what) {
  if (value >= setting.min && value <= setting.max) return {};
  return bad(std::string(what) + " must be between " + show(setting, setting.min) + " and " +
             show(setting, setting.max) + ", not " + show(setting, value));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string expected(const Setting& setting) {
  switch (setting.kind) {
    case Kind::kText:
      return "a text in quotes";
    case Kind::kFlag:
      return "true or false";
    case Kind::kCount:
      return "a whole number";
    case Kind::kSize:
      return "a size in quotes like \"64MiB\"";
    case Kind::kDuration:
      return "a duration in quotes like \"250ms\"";
    case Kind::kChoice:
      return "a word in quotes";
    case Kind::kList:
      return "a list of texts like [\"drop_oldest\"]";
  }
  return {};
}

base::Status store_number(const Setting& setting, std::uint64_t value) {
  if (auto status = check_bounds(setting, value, "it"); !status) return status;
  if (setting.kind == Kind::kDuration) {
    *std::get<Duration*>(setting.field) = Duration(static_cast<std::int64_t>(value));
  } else {
    *std::get<std::uint64_t*>(setting.field) = value;
  }
  return {};
}

base::Status store_text(const Setting& setting, const std::string& text) {
  auto status = check_bounds(setting, text.size(), "its length in bytes");
  if (!status) return status;
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < ' '; })) {
    return bad("it must not contain control characters");
  }
  *std::get<std::string*>(setting.field) = text;
  return {};
}

base::Status store_choice(const Setting& setting, const std::string& text) {
  const std::vector<std::string> words = split(setting.unit, '|');
  if (std::find(words.begin(), words.end(), text) == words.end()) {
    std::string list = quoted(words.front());
    for (std::size_t i = 1; i < words.size(); ++i) list += ", " + quoted(words[i]);
    return bad("it must be one of " + list + ", not " + quoted(text) + did_you_mean(text, words));
  }
  *std::get<std::string*>(setting.field) = text;
  return {};
}

base::Status store_list(const Setting& setting, const std::vector<std::string>& entries) {
  auto status = check_bounds(setting, entries.size(), "the number of its entries");
  if (!status) return status;
  if (std::any_of(entries.begin(), entries.end(), [](const auto& e) { return e.empty(); })) {
    return bad("an entry is empty");
  }
  std::get<List*>(setting.field)->assign(entries.begin(), entries.end());
  return {};
}

/// A text that stands for a value of the setting's kind.
base::Status store_written(const Setting& setting, const std::string& text) {
  switch (setting.kind) {
    case Kind::kText:
      return store_text(setting, text);
    case Kind::kChoice:
      return store_choice(setting, text);
    case Kind::kSize: {
      const auto size = base::parse_size(text);
      return size ? store_number(setting, *size) : bad(size.error().detail);
    }
    case Kind::kDuration: {
      const auto duration = base::parse_duration(text);
      if (!duration) return bad(duration.error().detail);
      return store_number(setting, to_bound(*duration));
    }
    default:
      return bad("it must be " + expected(setting) + ", not " + quoted(text));
  }
}

}  // namespace

std::string Setting::variable() const {
  std::string out = "SLUICE_" + std::string(table) + "_" + std::string(key);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

std::vector<Setting> bind(Settings& settings) {
  std::vector<Setting> all;
#define TABLE(name, Type, text)                \
  {                                            \
    constexpr std::string_view kTable = #name; \
    auto& table = settings.name;
#define SETTING(name, kind, unit, default_, min, max, reload, text)                              \
  all.push_back({kTable, #name, Kind::k##kind, unit, to_bound(min), to_bound(max), reload, text, \
                 &table.name});
#define END_TABLE(name) }
#include "broker/config/settings.def"
#undef TABLE
#undef SETTING
#undef END_TABLE
  return all;
}

base::Status assign(const Setting& setting, const Given& given) {
  if (const auto* text = std::get_if<std::string>(&given)) return store_written(setting, *text);
  if (const auto* flag = std::get_if<bool>(&given);
      flag != nullptr && setting.kind == Kind::kFlag) {
    *std::get<bool*>(setting.field) = *flag;
    return {};
  }
  if (const auto* number = std::get_if<std::int64_t>(&given)) {
    const bool counts = setting.kind == Kind::kCount || setting.kind == Kind::kSize;
    if (counts && *number < 0) return bad("it must not be negative");
    if (counts) return store_number(setting, static_cast<std::uint64_t>(*number));
  }
  const auto* entries = std::get_if<std::vector<std::string>>(&given);
  if (entries != nullptr && setting.kind == Kind::kList) return store_list(setting, *entries);
  return bad("it must be " + expected(setting));
}

base::Status assign_text(const Setting& setting, std::string_view text) {
  if (setting.kind == Kind::kFlag && (text == "true" || text == "false")) {
    return assign(setting, text == "true");
  }
  if (setting.kind == Kind::kList) return assign(setting, split(text, ','));
  if (setting.kind == Kind::kCount) {
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && stop == text.data() + text.size()) return assign(setting, number);
  }
  return assign(setting, std::string(text));
}

std::string format_value(const Setting& setting) {
  switch (setting.kind) {
    case Kind::kText:
    case Kind::kChoice:
      return quoted(*std::get<std::string*>(setting.field));
    case Kind::kFlag:
      return *std::get<bool*>(setting.field) ? "true" : "false";
    case Kind::kCount:
      return std::to_string(*std::get<std::uint64_t*>(setting.field));
    case Kind::kSize:
      return quoted(show(setting, *std::get<std::uint64_t*>(setting.field)));
    case Kind::kDuration:
      return quoted(show(setting, to_bound(*std::get<Duration*>(setting.field))));
    case Kind::kList: {
      std::string out;
      for (const std::string& entry : *std::get<List*>(setting.field)) {
        out += (out.empty() ? "[" : ", ") + quoted(entry);
      }
      return out.empty() ? "[]" : out + "]";
    }
  }
  return {};
}

}  // namespace sluice::config
