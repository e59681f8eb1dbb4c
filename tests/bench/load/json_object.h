// json_object.h: writes one JSON object, member by member.
//
// Thread:   owner thread only.
// Limits:   names and texts are written as they are; escaping is for texts of others.
// Tests:    tests/unit/tests/bench/load/result_test.cc

#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace sluice::bench {

class JsonObject {
 public:
  void add(const char* name, const std::string& text) { add_raw(name, "\"" + text + "\""); }
  void add(const char* name, std::uint64_t number) { add_raw(name, std::to_string(number)); }
  void add(const char* name, bool value) { add_raw(name, value ? "true" : "false"); }
  void add(const char* name, double number) {
    char text[40];
    std::snprintf(text, sizeof text, "%.6g", number);
    add_raw(name, text);
  }
  /// `value` is JSON already.
  void add_raw(const std::string& name, const std::string& value) {
    text_ += (text_.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
  }
  std::string finish() const { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

/// `text` as a JSON string, for what a peer said.
inline std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const bool plain = c >= ' ' && c != '"' && c != '\\' && c != '\x7f';
    if (plain || static_cast<unsigned char>(c) >= 0x80) {
      out += c;
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned char>(c));
      out += escaped;
    }
  }
  return out + "\"";
}

}  // namespace sluice::bench
