// heap_bytes.h: what does a text keep on the heap, beside its object?
//
// Thread:   any.
// Units:    bytes.

#pragma once

#include <string>

namespace sluice::shard {

inline std::size_t heap_bytes(const std::string& text) noexcept {
  static const std::size_t kInside = std::string().capacity();
  return text.capacity() > kInside ? text.capacity() + 1 : 0;
}

}  // namespace sluice::shard
