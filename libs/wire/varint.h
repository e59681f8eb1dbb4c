// varint.h: how are the sizes in a batch's records written?
//
// Seven bits a byte, lowest first; bit 7 says that more follow. One form for each number: at most
// five bytes, within 32 bits, no needless last byte of 0.
//
// Thread:   any; no state. Private to this folder.
// Source:   docs/formats/wire.md, section Records.
// Tests:    tests/unit/libs/wire/batch_test.cc

#pragma once

#include <cstddef>
#include <cstdint>

#include "libs/base/bytes.h"

namespace sluice::wire {

inline constexpr std::size_t kMaxVarintBytes = 5;

/// Reads the number at `at` and moves past it. False, and `at` unmoved, when it is cut off by
/// `end` or not in its one form.
inline bool take_varint(const std::byte*& at, const std::byte* end, std::uint32_t& value) noexcept {
  std::uint64_t sum = 0;
  const std::byte* next = at;
  for (unsigned shift = 0; shift < 7 * kMaxVarintBytes; shift += 7) {
    if (next == end) return false;
    const auto byte = static_cast<std::uint8_t>(*next++);
    sum |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte >= 0x80) continue;
    if ((byte == 0 && shift != 0) || sum > UINT32_MAX) return false;
    value = static_cast<std::uint32_t>(sum);
    at = next;
    return true;
  }
  return false;
}

/// The same for bytes that have been checked before.
inline std::uint32_t take_checked_varint(const std::byte*& at) noexcept {
  std::uint32_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(*at++);
    value |= static_cast<std::uint32_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

inline std::size_t varint_bytes(std::size_t value) noexcept {
  std::size_t bytes = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++bytes;
  }
  return bytes;
}

/// Writes `value` at `at` and returns what is behind it.
inline std::byte* put_varint(std::byte* at, std::size_t value) noexcept {
  while (value >= 0x80) {
    *at++ = static_cast<std::byte>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<std::byte>(value);
  return at;
}

}  // namespace sluice::wire
