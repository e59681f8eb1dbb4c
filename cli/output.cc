#include "cli/output.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace sluice::cli {
namespace {

constexpr std::size_t kFullBytes = 64U << 10;

}  // namespace

void Output::written() {
  if (buffer_.size() >= kFullBytes) flush();
}

void Output::append(std::string_view text) {
  buffer_ += text;
  written();
}

const Status& Output::flush() {
  std::string_view left = buffer_;
  while (!left.empty() && status_.has_value()) {
    const ssize_t sent = ::write(fd_, left.data(), left.size());
    if (sent >= 0) {
      left.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EPIPE) {
      status_ = base::fail(ErrorCode::kClosed, "nobody reads the output");
    } else if (errno != EINTR) {
      status_ = base::fail(ErrorCode::kIo, std::string("writing output: ") + std::strerror(errno));
    }
  }
  buffer_.clear();
  return status_;
}

}  // namespace sluice::cli
