#include "libs/base/result.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::base {
namespace {

// The printed name of kQueueFull is queue-full; made once, at compile time, in fixed storage.
struct Name {
  std::array<char, 40> text{};
  std::size_t size = 0;

  constexpr explicit Name(std::string_view identifier) {
    for (std::size_t i = 1; i < identifier.size(); ++i) {
      const char c = identifier[i];
      const bool upper = c >= 'A' && c <= 'Z';
      if (upper && i > 1) text[size++] = '-';
      text[size++] = upper ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  constexpr std::string_view view() const { return {text.data(), size}; }
};

constexpr std::array kNames = {
#define X(name, number, class_, text, remedy) Name(#name),
#include "libs/base/errors.def"
#undef X
};

constexpr std::size_t kRowCount = kNames.size();

enum Row : std::size_t {
#define X(name, number, class_, text, remedy) kRow_##name,
#include "libs/base/errors.def"
#undef X
};

const std::array<ErrorInfo, kRowCount>& table() noexcept {
  static const std::array<ErrorInfo, kRowCount> rows = {{
#define X(name, number, class_, text, remedy) \
  {ErrorCode::name, kNames[kRow_##name].view(), ErrorClass::class_, text, remedy},
#include "libs/base/errors.def"
#undef X
  }};
  return rows;
}

const ErrorInfo* row_of(std::uint16_t number) noexcept {
  const auto& rows = table();
  const auto it = std::find_if(rows.begin(), rows.end(), [number](const ErrorInfo& row) {
    return static_cast<std::uint16_t>(row.code) == number;
  });
  return it == rows.end() ? nullptr : &*it;
}

}  // namespace

const ErrorInfo& error_info(ErrorCode code) noexcept {
  const ErrorInfo* row = row_of(static_cast<std::uint16_t>(code));
  return row != nullptr ? *row : table()[kRow_kInternal];
}

const ErrorInfo* find_error(std::string_view name_or_number) noexcept {
  std::uint16_t number = 0;
  const char* end = name_or_number.data() + name_or_number.size();
  const auto [stop, error] = std::from_chars(name_or_number.data(), end, number);
  if (error == std::errc{} && stop == end) return row_of(number);
  for (const ErrorInfo& row : table()) {
    if (row.name == name_or_number) return &row;
  }
  return nullptr;
}

bool is_error_code(std::uint16_t number) noexcept { return row_of(number) != nullptr; }

std::string Error::message() const {
  const ErrorInfo& row = info();
  std::string out(row.name);
  out.append(": ").append(row.text);
  if (!detail.empty()) out.append(" (").append(detail).append(")");
  out.append("; ").append(row.remedy);
  return out;
}

}  // namespace sluice::base
