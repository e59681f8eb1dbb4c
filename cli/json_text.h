// json_text.h: bytes as JSON strings, without losing any.
//
// Thread:   any.
// Tests:    tests/unit/cli/json_text_test.cc

#pragma once

#include <sluice/error.h>
#include <string>
#include <string_view>

namespace sluice::cli {

/// True for well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view text) noexcept;

/// Appends `text` in quotes and escaped. Requires: is_utf8(text).
void append_json_string(std::string& out, std::string_view text);

/// Appends `"name":"…"`, or `"name_base64":"…"` where the bytes are not UTF-8.
void append_json_bytes(std::string& out, std::string_view name, std::string_view bytes);

/// The same for a value that stands alone: text that is not UTF-8 gets U+FFFD for each bad byte.
void append_json_lossy(std::string& out, std::string_view text);

std::string base64(std::string_view bytes);

void append_hex(std::string& out, std::string_view bytes);

/// Appends `text` so that it stays on one line and harms no terminal: \n, \t, \r, \\ and \xNN for
/// control characters and for what is not UTF-8.
void append_escaped(std::string& out, std::string_view text);

}  // namespace sluice::cli
