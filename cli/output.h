// output.h: buffered writing to a descriptor, bytes as they are.
//
// Owner:    the verb; does not own the descriptor. What is still buffered at its end is lost unless
//           flush() was called.
// Thread:   owner thread only. append and flush block as long as the reader is slow.
// Errors:   the first failed write is kept in status(), and everything after it is dropped: kClosed
//           when nobody reads any more (EPIPE), else kIo.
// Tests:    tests/unit/cli/output_test.cc

#pragma once

#include <sluice/error.h>
#include <string>
#include <string_view>

namespace sluice::cli {

class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}

  /// For whoever formats in place; call written() afterwards.
  std::string& buffer() noexcept { return buffer_; }
  /// Writes out once enough has been gathered.
  void written();

  void append(std::string_view text);
  /// Writes everything out. Returns status().
  const Status& flush();
  const Status& status() const noexcept { return status_; }

 private:
  int fd_;
  std::string buffer_;
  Status status_;
};

}  // namespace sluice::cli
