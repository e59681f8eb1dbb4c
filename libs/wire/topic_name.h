// topic_name.h: is this a topic, is this a filter, and does one match the other?
//
// A topic is 1 to 255 bytes of UTF-8 in at most 16 non-empty levels parted by dots, without spaces,
// control characters, '*' or '>'. In a filter a level may be '*' (exactly one level, any) and the
// last may be '>' (one or more levels). A first level that starts with '$' is matched only by the
// same first level written out, never by a wildcard.
//
// Thread:   any; no state.
// Errors:   kBadTopic, kBadFilter, saying what is wrong and at which byte.
// Source:   docs/formats/wire.md, section Topics and filters.
// Tests:    tests/unit/libs/wire/topic_name_test.cc, tests/fuzz/fuzz_topic.cc

#pragma once

#include <cstddef>
#include <string_view>

#include "libs/base/result.h"

namespace sluice::wire {

inline constexpr std::size_t kMaxTopicBytes = 255;
inline constexpr std::size_t kMaxTopicLevels = 16;

base::Status check_topic(std::string_view topic);
base::Status check_filter(std::string_view filter);

/// Requires: both checked. The plain rule, for clients and as the model in tests.
bool filter_matches(std::string_view filter, std::string_view topic) noexcept;

/// Takes the first level off the front of `rest`: "a.b.c" gives "a" and leaves "b.c".
/// Requires: not empty.
inline std::string_view take_level(std::string_view& rest) noexcept {
  const std::size_t dot = rest.find('.');
  const std::string_view level = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
  return level;
}

}  // namespace sluice::wire
