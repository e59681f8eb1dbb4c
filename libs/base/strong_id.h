// strong_id.h: integers that cannot be taken for one another.
//
//   struct SessionTag {};
//   using SessionId = base::StrongId<SessionTag, std::uint64_t>;
//
// Thread:   values; any thread.
// Units:    bare integers appear only at the edges (wire, configuration, metrics): value().
// Tests:    tests/unit/libs/base/strong_id_test.cc

#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace sluice::base {

template <typename Tag, typename Integer>
class StrongId {
 public:
  using value_type = Integer;

  constexpr StrongId() = default;
  constexpr explicit StrongId(Integer value) : value_(value) {}

  constexpr Integer value() const { return value_; }
  constexpr auto operator<=>(const StrongId&) const = default;

  /// The id that follows: `n` further on.
  constexpr StrongId next(Integer n = 1) const {
    return StrongId(static_cast<Integer>(value_ + n));
  }

 private:
  Integer value_{};
};

}  // namespace sluice::base

template <typename Tag, typename Integer>
struct std::hash<sluice::base::StrongId<Tag, Integer>> {
  std::size_t operator()(sluice::base::StrongId<Tag, Integer> id) const noexcept {
    return std::hash<Integer>{}(id.value());
  }
};
