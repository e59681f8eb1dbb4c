#include "cli/line_reader.h"

#include <cerrno>
#include <cstring>
#include <sys/poll.h>
#include <unistd.h>

namespace sluice::cli {
namespace {

constexpr std::size_t kReadBytes = 256U << 10;

tl::unexpected<Error> read_failed() {
  return base::fail(ErrorCode::kIo, std::string("reading input: ") + std::strerror(errno));
}

// Bytes read; 0 at the end of input.
Result<std::size_t> read_some(int fd, int interrupt_fd, char* to, std::size_t room) {
  for (;;) {
    if (Status ready = wait_readable(fd, interrupt_fd); !ready) return base::fail(ready.error());
    const ssize_t got = ::read(fd, to, room);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR && errno != EAGAIN) return read_failed();
  }
}

}  // namespace

Status wait_readable(int fd, int interrupt_fd) {
  pollfd watched[2] = {{fd, POLLIN, 0}, {interrupt_fd, POLLIN, 0}};
  while (poll(watched, 2, -1) < 0) {
    if (errno != EINTR) return read_failed();
  }
  if (watched[1].revents != 0) return base::fail(ErrorCode::kCanceled, "interrupted");
  return {};
}

Result<std::string_view> LineReader::next() {
  for (;;) {
    const char* from = buffer_.data() + searched_;
    const void* found = end_ > searched_ ? std::memchr(from, '\n', end_ - searched_) : nullptr;
    if (found != nullptr) {
      const auto stop = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
      const std::string_view line(buffer_.data() + begin_, stop - begin_);
      begin_ = searched_ = stop + 1;
      ++line_number_;
      return line;
    }
    searched_ = end_;
    if (at_end_) break;
    if (Status filled = fill(); !filled) return base::fail(filled.error());
  }
  if (begin_ == end_) return base::fail(ErrorCode::kClosed, "end of input");
  const std::string_view line(buffer_.data() + begin_, end_ - begin_);
  begin_ = end_;
  ++line_number_;
  return line;
}

Status LineReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    searched_ -= begin_;
    begin_ = 0;
  }
  if (end_ > kLineBytesMax) {
    return base::fail(ErrorCode::kMessageTooLarge,
                      "line " + std::to_string(line_number_ + 1) + " is longer than 64 MiB");
  }
  if (buffer_.size() - end_ < kReadBytes) buffer_.resize(2 * buffer_.size() + kReadBytes);
  auto got = read_some(fd_, interrupt_fd_, buffer_.data() + end_, kReadBytes);
  if (!got) return base::fail(got.error());
  end_ += *got;
  at_end_ = *got == 0;
  return {};
}

Result<std::string> read_all(int fd, int interrupt_fd, std::size_t bytes_max) {
  std::string out;
  for (;;) {
    const std::size_t size = out.size();
    out.resize(size + kReadBytes);
    auto got = read_some(fd, interrupt_fd, out.data() + size, kReadBytes);
    if (!got) return base::fail(got.error());
    out.resize(size + *got);
    if (*got == 0) return out;
    if (out.size() > bytes_max) {
      return base::fail(ErrorCode::kMessageTooLarge,
                        "more than " + std::to_string(bytes_max) + " bytes");
    }
  }
}

}  // namespace sluice::cli
