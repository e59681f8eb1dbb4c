// result.h: how does a function say that it failed?
//
// Every function that a peer, an operator or the environment can make fail returns Result<T>.
// Our own bugs are ASSERTs (assert.h) and never Results.
//
// Thread:   values; any thread.
// Errors:   the one table, errors.def.
// Tests:    tests/unit/libs/base/result_test.cc

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace sluice::base {

enum class ErrorCode : std::uint16_t {
  kNone = 0,
#define X(name, number, class_, text, remedy) name = number,
#include "libs/base/errors.def"
#undef X
};

/// What the receiver of an error can do about it.
enum class ErrorClass : std::uint8_t {
  retry,  ///< the same call may work later
  fatal,  ///< it fails until something is changed
  close,  ///< the connection ends as well
};

/// One row of errors.def.
struct ErrorInfo {
  ErrorCode code;
  std::string_view name;  ///< as printed and typed: "queue-full"
  ErrorClass error_class;
  std::string_view text;
  std::string_view remedy;
};

/// The row of `code`; the row of kInternal for a number that is in no row.
const ErrorInfo& error_info(ErrorCode code) noexcept;

/// The row of a name or a number as `sluice errors CODE` takes it; null when there is none.
const ErrorInfo* find_error(std::string_view name_or_number) noexcept;

/// True for a number that stands in errors.def. A peer's error code is checked with it.
bool is_error_code(std::uint16_t number) noexcept;

/// An error with what the table cannot know: which one, where, how much.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string detail;  ///< may be empty; never repeats the table's text

  /// "queue-full: a subscription's queue is full and … (detail). Retry after …"
  std::string message() const;
  const ErrorInfo& info() const noexcept { return error_info(code); }
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string detail = {}) {
  return tl::unexpected<Error>(Error{code, std::move(detail)});
}

/// Passes on the error of another Result.
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace sluice::base
