// line_reader.h: lines of a descriptor, fast and of any bytes but the newline.
//
// Owner:    the verb; does not own the descriptor.
// Thread:   owner thread only; next() waits for input.
// Units:    bytes. A line is told without its newline; a last line may lack it.
// Limits:   a line of more than kLineBytesMax is kMessageTooLarge, and reading ends.
// Errors:   kClosed at the end of input, kCanceled once the interrupt descriptor is readable, kIo.
// Tests:    tests/unit/cli/line_reader_test.cc

#pragma once

#include <cstdint>
#include <sluice/error.h>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

inline constexpr std::size_t kLineBytesMax = 64U << 20;

class LineReader {
 public:
  /// Stops waiting for input once `interrupt_fd` is readable; -1: never.
  LineReader(int fd, int interrupt_fd) : fd_(fd), interrupt_fd_(interrupt_fd) {}

  /// Valid until the next call.
  Result<std::string_view> next();
  /// Of the line that next() gave last; the first is 1.
  std::uint64_t line_number() const noexcept { return line_number_; }

 private:
  Status fill();

  int fd_;
  int interrupt_fd_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of the bytes that were read and not told yet
  std::size_t end_ = 0;
  std::size_t searched_ = 0;  // from begin_ to here there is no newline
  bool at_end_ = false;
  std::uint64_t line_number_ = 0;
};

/// Everything up to the end of input. Errors: as above, with kMessageTooLarge over `bytes_max`.
Result<std::string> read_all(int fd, int interrupt_fd, std::size_t bytes_max);

/// Waits until `fd` can be read. Errors: kCanceled once `interrupt_fd` can be.
Status wait_readable(int fd, int interrupt_fd);

}  // namespace sluice::cli
