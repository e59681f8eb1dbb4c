// address.h: how is an address of a socket written and read?
//
//   "127.0.0.1:4880"  "[::1]:4880"  "localhost:4880"  ":4880" (every address of the machine)
//
// Thread:   any.
// Errors:   kBadArgument, saying what is wrong with the text.
// Tests:    tests/unit/libs/loop/address_test.cc

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.h"

namespace sluice::loop {

struct HostPort {
  std::string host;  ///< name or number, without brackets
  std::uint16_t port = 0;

  /// As parse_host_port reads it: brackets around an IPv6 address.
  std::string text() const;
  bool operator==(const HostPort&) const = default;
};

/// `default_port` stands where the text names none; without one the port must be there.
base::Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port = 0);

}  // namespace sluice::loop
