#include <algorithm>

#include "broker/config/toml_file.h"

namespace sluice::config {
namespace {

constexpr std::size_t kWidthMax = 100;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// What a terminal shows in one place each, whatever the file holds.
char printable(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '\t') return ' ';
  return byte < 0x20 || byte == 0x7F ? '?' : c;
}

}  // namespace

std::string excerpt(std::size_t line_number, std::string_view line, std::size_t column,
                    std::size_t length) {
  std::size_t start = std::min(column == 0 ? 0 : column - 1, line.size());
  // Of a very long line the part around the caret is enough.
  if (start > kWidthMax / 2) {
    std::size_t cut = start - kWidthMax / 2;
    while (cut < start && is_continuation(line[cut])) ++cut;
    line.remove_prefix(cut);
    start -= cut;
  }
  std::size_t width = std::min(line.size(), kWidthMax);
  while (width < line.size() && is_continuation(line[width])) ++width;
  line = line.substr(0, width);
  const std::size_t end = std::min(std::max(start + length, start + 1), std::max(width, start + 1));

  std::string shown;
  std::string marks;
  for (std::size_t i = 0; i < line.size(); ++i) {
    shown += printable(line[i]);
    if (i < end && !is_continuation(line[i])) marks += i < start ? ' ' : i == start ? '^' : '~';
  }
  if (start >= line.size()) marks += '^';
  const std::string number = std::to_string(line_number);
  return "  " + number + " | " + shown + "\n  " + std::string(number.size(), ' ') + " | " + marks;
}

}  // namespace sluice::config
