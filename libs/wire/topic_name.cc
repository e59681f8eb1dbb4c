#include "libs/wire/topic_name.h"

#include <cstdint>
#include <string>

namespace sluice::wire {
namespace {

struct Wrong {
  const char* what = nullptr;  // null: nothing is wrong
  std::size_t at = 0;
};

std::uint8_t byte_at(std::string_view text, std::size_t at) noexcept {
  return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0;
}

/// Bytes of the UTF-8 sequence at `at` that does not start with ASCII; 0 when it is none
/// (overlong, surrogate, past U+10FFFF or cut off).
std::size_t utf8_bytes(std::string_view text, std::size_t at) noexcept {
  const std::uint8_t lead = byte_at(text, at);
  const std::uint8_t second = byte_at(text, at + 1);
  std::size_t size = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    size = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  if (second < low || second > high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((byte_at(text, at + i) & 0xC0) != 0x80) return 0;
  }
  return size;
}

/// The first byte of `level` that may stand in no name; wildcards are the caller's matter.
Wrong check_characters(std::string_view level) noexcept {
  for (std::size_t i = 0; i < level.size();) {
    const std::uint8_t byte = byte_at(level, i);
    if (byte == ' ') return {"a space", i};
    if (byte < 0x20 || byte == 0x7F) return {"a control character", i};
    if (byte < 0x80) {
      ++i;
      continue;
    }
    const std::size_t size = utf8_bytes(level, i);
    if (size == 0) return {"not UTF-8", i};
    if (byte == 0xC2 && byte_at(level, i + 1) < 0xA0) return {"a control character", i};
    i += size;
  }
  return {};
}

Wrong check_wildcards(std::string_view level, bool filter, bool last) noexcept {
  const std::size_t at = level.find_first_of("*>");
  if (at == std::string_view::npos) return {};
  if (!filter) return {"a wildcard in a topic", at};
  if (level.size() != 1) return {"a wildcard that is not a whole level", at};
  if (level == ">" && !last) return {"'>' before the last level", at};
  return {};
}

Wrong check_name(std::string_view name, bool filter) noexcept {
  if (name.empty()) return {"empty", 0};
  if (name.size() > kMaxTopicBytes) return {"longer than 255 bytes", kMaxTopicBytes};
  std::size_t levels = 0;
  for (std::size_t start = 0;; ++levels) {
    if (levels == kMaxTopicLevels) return {"more than 16 levels", start};
    const std::size_t dot = name.find('.', start);
    const bool last = dot == std::string_view::npos;
    const std::string_view level = name.substr(start, last ? dot : dot - start);
    if (level.empty()) return {"an empty level", start};
    Wrong wrong = check_characters(level);
    if (wrong.what == nullptr) wrong = check_wildcards(level, filter, last);
    if (wrong.what != nullptr) return {wrong.what, start + wrong.at};
    if (last) return {};
    start = dot + 1;
  }
}

base::Status to_status(Wrong wrong, base::ErrorCode code) {
  if (wrong.what == nullptr) return {};
  return base::fail(code, std::string(wrong.what) + " at byte " + std::to_string(wrong.at));
}

}  // namespace

base::Status check_topic(std::string_view topic) {
  return to_status(check_name(topic, false), base::ErrorCode::kBadTopic);
}

base::Status check_filter(std::string_view filter) {
  return to_status(check_name(filter, true), base::ErrorCode::kBadFilter);
}

bool filter_matches(std::string_view filter, std::string_view topic) noexcept {
  if (topic.front() == '$' && filter.front() != '$') return false;
  while (!filter.empty() && !topic.empty()) {
    const std::string_view wanted = take_level(filter);
    if (wanted == ">") return true;
    const std::string_view level = take_level(topic);
    if (wanted != "*" && wanted != level) return false;
  }
  return filter.empty() && topic.empty();
}

}  // namespace sluice::wire
