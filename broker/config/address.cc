#include "broker/config/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace sluice::config {
namespace {

tl::unexpected<base::Error> bad(std::string_view text, std::string_view what) {
  return base::fail(base::ErrorCode::kBadConfiguration,
                    "\"" + std::string(text) + "\" " + std::string(what));
}

}  // namespace

std::string Address::text() const {
  const bool six = host.find(':') != std::string::npos;
  return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

base::Result<Address> parse_address(std::string_view text) {
  constexpr std::string_view kExpected =
      "is not an address; write an IP address and a port, like 127.0.0.1:4880 or [::1]:4880";
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad(text, kExpected);
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);

  Address address;
  const auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || error != std::errc{} || stop != port.data() + port.size()) {
    return bad(text, "has no port between 0 and 65535 after its last colon");
  }
  const bool brackets = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (brackets) host = host.substr(1, host.size() - 2);
  address.host = host == "localhost" ? "127.0.0.1" : std::string(host);

  in_addr four{};
  in6_addr six{};
  if (!brackets && inet_pton(AF_INET, address.host.c_str(), &four) == 1) {
    address.loopback = ntohl(four.s_addr) >> 24 == 127;
  } else if (brackets && inet_pton(AF_INET6, address.host.c_str(), &six) == 1) {
    address.loopback = IN6_IS_ADDR_LOOPBACK(&six) != 0;
  } else {
    return bad(text, kExpected);
  }
  return address;
}

}  // namespace sluice::config
