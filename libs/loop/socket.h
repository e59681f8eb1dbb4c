// socket.h: the socket calls that listener, connector and stream share.
//
// Thread:   any; no state.
// Errors:   negative results are those of libuv (uv_strerror).

#pragma once

#include <memory>
#include <netdb.h>
#include <string>
#include <sys/socket.h>

#include "libs/base/result.h"
#include "libs/loop/address.h"
#include "libs/loop/owned_fd.h"

namespace sluice::loop {

struct AddressListDeleter {
  void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, AddressListDeleter>;

/// Resolves for binding; blocks.
base::Result<AddressList> resolve_for_bind(const HostPort& address);

/// The numeric form of what `fd` is bound to, or connected to; empty host if it is neither.
HostPort local_address_of(int fd);
HostPort peer_address_of(int fd);

/// "127.0.0.1:4880" for messages about one resolved address.
HostPort to_host_port(const sockaddr* address, socklen_t length);

}  // namespace sluice::loop
