// address.h: where may a listener stand?
//
//   "127.0.0.1:4880"  "[::1]:4880"  "localhost:0"  "0.0.0.0:4880"
//
// Only numbers and "localhost": a name could mean another machine tomorrow, and the check for
// loopback would then have been of something else.
//
// Thread:   values; any thread.
// Errors:   kBadConfiguration with what was expected.
// Tests:    tests/unit/broker/config/address_test.cc

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.h"

namespace sluice::config {

struct Address {
  std::string host;  ///< an IP address, without brackets; "localhost" has become 127.0.0.1
  std::uint16_t port = 0;
  bool loopback = false;

  /// "127.0.0.1:4880", "[::1]:4880"
  std::string text() const;
};

base::Result<Address> parse_address(std::string_view text);

}  // namespace sluice::config
