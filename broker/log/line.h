// line.h: how does an event become one line of text?
//
// Whatever bytes a field holds, the line stays one line of valid UTF-8: control characters and
// quotes are escaped as in JSON, and bytes that are not UTF-8 become U+FFFD.
//
// Thread:   any.
// Limits:   a value is cut after kValueBytesMax bytes.
// Tests:    tests/unit/broker/log/line_test.cc

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "broker/log/logger.h"

namespace sluice::log {

inline constexpr std::size_t kValueBytesMax = 1024;

/// level=info event="connection closed" session=12
std::string text_line(Level level, std::string_view event, Fields fields);

/// "level":"info","event":"connection closed","session":12     (without braces)
std::string json_line(Level level, std::string_view event, Fields fields);

}  // namespace sluice::log
