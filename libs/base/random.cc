#include "libs/base/random.h"

#include <random>

namespace sluice::base {

std::uint64_t system_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace sluice::base
