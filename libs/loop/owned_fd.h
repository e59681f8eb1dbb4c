// owned_fd.h: who closes this descriptor?
//
// Whoever holds the OwnedFd, on whichever thread; release() hands the number to somebody else.
//
// Thread:   a value that is moved; any thread.
// Tests:    tests/unit/libs/loop/tcp_listener_test.cc

#pragma once

#include <utility>

namespace sluice::loop {

class OwnedFd {
 public:
  OwnedFd() noexcept = default;
  explicit OwnedFd(int fd) noexcept : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~OwnedFd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  /// The caller closes it from now on.
  int release() noexcept { return std::exchange(fd_, -1); }
  /// Closes what is held and holds `fd` instead.
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

}  // namespace sluice::loop
