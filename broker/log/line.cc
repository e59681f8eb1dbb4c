#include "broker/log/line.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "libs/base/units.h"

namespace sluice::log {
namespace {

/// Bytes of the UTF-8 character at the front of `text`; 0 when it is none.
std::size_t character_bytes(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  // Too long an encoding, a surrogate or beyond U+10FFFF shows in the second byte.
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((at(i) & 0xC0U) != 0x80U) return 0;
  }
  return size;
}

void append_quoted(std::string& out, std::string_view text) {
  const bool cut = text.size() > kValueBytesMax;
  if (cut) {
    // Not in the middle of a character, which would then be shown as a broken one.
    std::size_t end = kValueBytesMax;
    while (end > kValueBytesMax - 3 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
      --end;
    }
    text = text.substr(0, end);
  }
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t size = character_bytes(text);
    if (size == 0) {
      out += "\xEF\xBF\xBD";
    } else if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  out += cut ? "…\"" : "\"";
}

/// True for what needs no quotes in key=value.
bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= kValueBytesMax &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
         });
}

void append_value(std::string& out, const Value& value, bool json) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    if (!json && is_plain(*text)) {
      out += *text;
    } else {
      append_quoted(out, *text);
    }
  } else if (const auto* duration = std::get_if<base::Duration>(&value)) {
    const bool negative = duration->count() < 0;
    const std::string shown =
        (negative ? "-" : "") + base::format_duration(negative ? -*duration : *duration);
    out += json ? "\"" + shown + "\"" : shown;
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* real = std::get_if<double>(&value)) {
    // JSON has no word for what is not finite.
    out += json && !std::isfinite(*real) ? "null" : fmt::format("{}", *real);
  } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    out += std::to_string(*whole);
  } else {
    out += std::to_string(std::get<std::uint64_t>(value));
  }
}

}  // namespace

std::string text_line(Level level, std::string_view event, Fields fields) {
  std::string out = "level=" + std::string(level_name(level)) + " event=";
  append_value(out, event, false);
  for (const Field& field : fields) {
    out.append(" ").append(field.key).append("=");
    append_value(out, field.value, false);
  }
  return out;
}

std::string json_line(Level level, std::string_view event, Fields fields) {
  std::string out = "\"level\":\"" + std::string(level_name(level)) + "\",\"event\":";
  append_value(out, event, true);
  for (const Field& field : fields) {
    out += ',';
    append_quoted(out, field.key);
    out += ':';
    append_value(out, field.value, true);
  }
  return out;
}

}  // namespace sluice::log
