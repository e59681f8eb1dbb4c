#include "libs/loop/socket.h"

#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>

namespace sluice::loop {
namespace {

using NameFunction = int (*)(int, sockaddr*, socklen_t*);

HostPort address_of(int fd, NameFunction name) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (fd < 0 || name(fd, address, &length) != 0) return {};
  return to_host_port(address, length);
}

}  // namespace

base::Result<AddressList> resolve_for_bind(const HostPort& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const std::string port = std::to_string(address.port);
  const char* host = address.host.empty() ? nullptr : address.host.c_str();
  const int status = getaddrinfo(host, port.c_str(), &hints, &list);
  if (status != 0) {
    return base::fail(base::ErrorCode::kBadArgument,
                      "cannot resolve " + address.text() + ": " + gai_strerror(status));
  }
  return AddressList(list);
}

HostPort local_address_of(int fd) { return address_of(fd, getsockname); }

HostPort peer_address_of(int fd) { return address_of(fd, getpeername); }

HostPort to_host_port(const sockaddr* address, socklen_t length) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  const int status = getnameinfo(address, length, host.data(), host.size(), port.data(),
                                 port.size(), NI_NUMERICHOST | NI_NUMERICSERV);
  if (status != 0) return {};
  return {host.data(), static_cast<std::uint16_t>(std::stoul(port.data()))};
}

}  // namespace sluice::loop
