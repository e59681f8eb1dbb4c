// bytes.h: looking at bytes, and numbers in them.
//
// ByteView is a view; who owns the bytes, and for how long, is said where one is handed over.
// load and store are the only places that know the byte order of wire and disk: little-endian.
//
// Thread:   values; any thread.
// Tests:    tests/unit/libs/base/bytes_test.cc

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace sluice::base {

using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;

static_assert(std::endian::native == std::endian::little,
              "wire and disk are little-endian and are read in place");

/// The little-endian integer at `at`. Requires: sizeof(Integer) readable bytes; any alignment.
template <typename Integer>
  requires std::is_integral_v<Integer>
inline Integer load(const std::byte* at) noexcept {
  Integer value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// Writes `value` little-endian at `at`. Requires: sizeof(Integer) writable bytes; any alignment.
template <typename Integer>
  requires std::is_integral_v<Integer>
inline void store(std::byte* at, Integer value) noexcept {
  std::memcpy(at, &value, sizeof value);
}

inline ByteView as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace sluice::base
