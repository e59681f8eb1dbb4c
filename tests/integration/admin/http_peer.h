// http_peer.h: a client that sends exactly the bytes it is told to.
//
// Owner:    a test.
// Thread:   one.

#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::admin {

class HttpPeer {
 public:
  explicit HttpPeer(std::uint16_t port)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    // A test that waits for an answer which never comes shall fail and not hang.
    const timeval limit{20, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~HttpPeer() { close(socket_); }
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;

  bool connected() const noexcept { return connected_; }

  /// False when the peer has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }

  /// True when the other side has closed, or does so within `limit_ms`.
  bool closed_within(int limit_ms) {
    pollfd watched{socket_, POLLIN, 0};
    return poll(&watched, 1, limit_ms) > 0;
  }

  /// Says that no more will be sent.
  void end() { shutdown(socket_, SHUT_WR); }

  /// One answer: head, and the body that its Content-Length announces. Empty: closed before.
  std::string answer() {
    std::string text;
    std::size_t end = std::string::npos;
    while ((end = text.find("\r\n\r\n")) == std::string::npos) {
      if (!more(text, 1)) return text;
    }
    std::size_t body = 0;
    const std::size_t length = text.find("Content-Length: ");
    if (length != std::string::npos) body = std::stoul(text.substr(length + 16));
    while (text.size() < end + 4 + body) {
      if (!more(text, end + 4 + body - text.size())) break;
    }
    return text;
  }

  /// Everything until the other side closes.
  std::string rest() {
    std::string text;
    while (more(text, 4096)) {
    }
    return text;
  }

 private:
  bool more(std::string& text, std::size_t most) {
    char bytes[4096];
    const ssize_t got = recv(socket_, bytes, most < sizeof bytes ? most : sizeof bytes, 0);
    if (got <= 0) return false;
    text.append(bytes, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
  bool connected_ = false;
};

}  // namespace sluice::admin
