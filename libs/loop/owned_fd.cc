#include "libs/loop/owned_fd.h"

#include <unistd.h>

namespace sluice::loop {

void OwnedFd::reset(int fd) noexcept {
  const int old = std::exchange(fd_, fd);
  if (old >= 0) ::close(old);
}

}  // namespace sluice::loop
