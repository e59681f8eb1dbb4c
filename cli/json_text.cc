#include "cli/json_text.h"

#include <cstdint>

namespace sluice::cli {
namespace {

constexpr char kHex[] = "0123456789abcdef";

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// Bytes of the well-formed character at `at`; 0 when there is none.
std::size_t character_at(std::string_view text, std::size_t at) noexcept {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte_at(text, at + i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned second = byte_at(text, at + 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool too_high = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || too_high ? 0 : size;
}

// The letter of a two-character escape that JSON and our text form share; 0 when there is none.
char short_escape(char c) {
  switch (c) {
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\\':
      return '\\';
    default:
      return 0;
  }
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

void append_json_character(std::string& out, char c) {
  const char letter = c == '"' ? '"' : short_escape(c);
  if (letter != 0) {
    out += '\\';
    out += letter;
  } else if (is_control(c)) {
    out += "\\u00";
    out += kHex[static_cast<unsigned char>(c) >> 4U];
    out += kHex[static_cast<unsigned char>(c) & 15U];
  } else {
    out += c;
  }
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_at(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;  // from here on nothing needs an escape
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c != '"' && c != '\\' && !is_control(c)) continue;
    out.append(text.substr(plain, at - plain));
    append_json_character(out, c);
    plain = at + 1;
  }
  out.append(text.substr(plain));
  out += '"';
}

void append_json_bytes(std::string& out, std::string_view name, std::string_view bytes) {
  const bool as_is = is_utf8(bytes);
  out += '"';
  out += name;
  out += as_is ? "\":" : "_base64\":";
  append_json_string(out, as_is ? bytes : std::string_view(base64(bytes)));
}

void append_json_lossy(std::string& out, std::string_view text) {
  std::string repaired;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_at(text, at);
    repaired += size == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(at, size);
    at += size == 0 ? 1 : size;
  }
  append_json_string(out, repaired);
}

std::string base64(std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t left = bytes.size() - at;
    std::uint32_t group = byte_at(bytes, at) << 16U;
    if (left > 1) group |= byte_at(bytes, at + 1) << 8U;
    if (left > 2) group |= byte_at(bytes, at + 2);
    out += kAlphabet[group >> 18U];
    out += kAlphabet[(group >> 12U) & 63U];
    out += left > 1 ? kAlphabet[(group >> 6U) & 63U] : '=';
    out += left > 2 ? kAlphabet[group & 63U] : '=';
  }
  return out;
}

void append_hex(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    out += kHex[static_cast<unsigned char>(c) >> 4U];
    out += kHex[static_cast<unsigned char>(c) & 15U];
  }
}

void append_escaped(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const char letter = short_escape(text[at]);
    std::size_t size = character_at(text, at);
    // U+0080 to U+009F are control characters too.
    if (size == 2 && byte_at(text, at) == 0xC2 && byte_at(text, at + 1) < 0xA0) size = 0;
    if (letter != 0) {
      out += '\\';
      out += letter;
    } else if (size == 0 || is_control(text[at])) {
      out += "\\x";
      append_hex(out, text.substr(at, 1));
    } else {
      out.append(text.substr(at, size));
    }
    at += size == 0 ? 1 : size;
  }
}

}  // namespace sluice::cli
