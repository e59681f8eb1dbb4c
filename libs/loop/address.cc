#include "libs/loop/address.h"

#include <charconv>

namespace sluice::loop {
namespace {

using base::ErrorCode;
using base::fail;

base::Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorCode::kBadArgument,
                "'" + std::string(text) + "' is not a port; use a number from 0 to 65535");
  }
  return port;
}

}  // namespace

std::string HostPort::text() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

base::Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  std::string_view host = text;
  std::string_view port_text;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return fail(ErrorCode::kBadArgument, "'" + std::string(text) + "' has no closing bracket");
    }
    host = text.substr(1, close - 1);
    std::string_view rest = text.substr(close + 1);
    has_port = rest.starts_with(':');
    if (!has_port && !rest.empty()) {
      return fail(ErrorCode::kBadArgument, "'" + std::string(text) + "' goes on after the bracket");
    }
    if (has_port) port_text = rest.substr(1);
  } else if (text.find("://") != std::string_view::npos) {
    return fail(ErrorCode::kBadArgument, "'" + std::string(text) + "' has a scheme; HOST:PORT");
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port_text = text.substr(colon + 1);
    has_port = true;
    if (port_text.find(':') != std::string_view::npos) {
      return fail(ErrorCode::kBadArgument,
                  "write an IPv6 address in brackets: [" + std::string(text) + "]:PORT");
    }
  }
  if (!has_port) {
    if (default_port == 0) {
      return fail(ErrorCode::kBadArgument, "'" + std::string(text) + "' names no port; HOST:PORT");
    }
    return HostPort{std::string(host), default_port};
  }
  auto port = parse_port(port_text);
  if (!port) return fail(port.error());
  return HostPort{std::string(host), *port};
}

}  // namespace sluice::loop
