// sluice_relay: what does a broker cost that does nothing?
//
// A bare epoll relay on one thread: it reads what publishers write, finds the boundaries of
// messages, and writes whole messages to every subscriber of the same topic index. No names, no
// queues, no promises: the limit that the machine's sockets set. A publisher is not read while a
// subscriber of its topic has not taken the bytes before, so nothing is lost and nothing grows.
//
// Protocol: relay_peer.h. Prints "ready relay=127.0.0.1:PORT pid=N" when it serves.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "libs/base/bytes.h"
#include "tests/bench/load/relay_peer.h"
#include "tests/bench/load/socket.h"

namespace sluice::bench {
namespace {

constexpr std::size_t kDefaultReadBytes = 64U << 10;
constexpr std::size_t kMaxMessage = 1U << 20;

struct Connection;

/// The subscribers of one topic index and the publisher whose bytes they are being sent.
struct Topic {
  std::vector<Connection*> subscribers;
  Connection* busy = nullptr;
  std::size_t owing = 0;  // subscribers that have not taken all of the busy one's bytes
};

struct Connection {
  int socket = -1;
  Topic* topic = nullptr;  // null until it has greeted
  bool publisher = false;
  bool readable = false;  // publisher: bytes may wait; edges are not repeated
  // Publisher: what was read; whole messages reach to `whole`, the rest is part of the next.
  std::vector<std::byte> bytes{};
  std::size_t filled = 0;
  std::size_t whole = 0;
  // Subscriber: how much of the busy publisher's whole messages it was sent.
  std::size_t sent = 0;
};

class Relay {
 public:
  Relay(int listener, std::size_t read_bytes) : listener_(listener), read_bytes_(read_bytes) {
    poller_.add(listener, EPOLLIN, 0);
  }
  [[noreturn]] void run();

 private:
  void accept_all();
  void on_event(Connection& connection, std::uint32_t events);
  bool greet(Connection& connection);
  void pump(Connection& publisher);
  bool read_more(Connection& publisher);
  void find_boundary(Connection& publisher);
  void send_to(Connection& subscriber);
  void release(Topic& topic);
  void drop(std::size_t index);

  int listener_;
  std::size_t read_bytes_;
  Poller poller_;
  std::vector<std::unique_ptr<Connection>> connections_;  // number in the poller is index + 1
  std::map<std::uint16_t, Topic> topics_;
};

void Relay::run() {
  for (;;) {
    for (const epoll_event& event : poller_.wait(-1)) {
      if (event.data.u64 == 0) {
        accept_all();
      } else if (auto& connection = connections_[event.data.u64 - 1]; connection) {
        on_event(*connection, event.events);
        if ((event.events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) drop(event.data.u64 - 1);
      }
    }
  }
}

void Relay::accept_all() {
  for (int socket = accept_from(listener_); socket >= 0; socket = accept_from(listener_)) {
    connections_.push_back(std::make_unique<Connection>(Connection{.socket = socket}));
    poller_.add(socket, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, connections_.size());
  }
}

bool Relay::greet(Connection& connection) {
  std::byte greeting[RelayPeer::kGreetingBytes];
  if (read_some(connection.socket, greeting).bytes != sizeof greeting) return false;
  connection.topic = &topics_[base::load<std::uint16_t>(greeting + 2)];
  connection.publisher = greeting[0] == std::byte{'P'};
  if (connection.publisher) {
    connection.bytes.resize(read_bytes_ + kMaxMessage);
  } else {
    connection.topic->subscribers.push_back(&connection);
  }
  const std::byte answer[1] = {std::byte{'k'}};
  write_some(connection.socket, answer);
  return true;
}

void Relay::on_event(Connection& connection, std::uint32_t events) {
  if (connection.topic == nullptr && !greet(connection)) return;
  if (connection.publisher) {
    connection.readable = connection.readable || (events & EPOLLIN) != 0;
    pump(connection);
  } else if (connection.topic->busy != nullptr && (events & EPOLLOUT) != 0) {
    Topic& topic = *connection.topic;
    send_to(connection);
    if (topic.owing == 0) release(topic);
  }
}

/// Relays one read of this publisher; the socket's readiness decides when the next one comes.
void Relay::pump(Connection& publisher) {
  Topic& topic = *publisher.topic;
  while (publisher.readable && topic.busy == nullptr) {
    if (!read_more(publisher)) return;
    find_boundary(publisher);
    if (publisher.whole == 0) continue;
    topic.busy = &publisher;
    topic.owing = topic.subscribers.size();
    for (Connection* subscriber : topic.subscribers) {
      subscriber->sent = 0;
      send_to(*subscriber);
    }
    if (topic.owing != 0) return;
    topic.busy = nullptr;
  }
}

bool Relay::read_more(Connection& publisher) {
  if (publisher.whole > 0) {
    publisher.filled -= publisher.whole;
    std::memmove(publisher.bytes.data(), publisher.bytes.data() + publisher.whole,
                 publisher.filled);
    publisher.whole = 0;
  }
  const Transfer in =
      read_some(publisher.socket, {publisher.bytes.data() + publisher.filled, read_bytes_});
  publisher.readable = in.bytes > 0;
  publisher.filled += in.bytes;
  return in.bytes > 0;
}

void Relay::find_boundary(Connection& publisher) {
  std::size_t at = 0;
  while (publisher.filled - at >= RelayPeer::kPrefixBytes) {
    const std::size_t message =
        RelayPeer::kPrefixBytes + base::load<std::uint32_t>(publisher.bytes.data() + at);
    if (message > kMaxMessage) die("sluice_relay: a message is too large");
    if (publisher.filled - at < message) break;
    at += message;
  }
  publisher.whole = at;
}

void Relay::send_to(Connection& subscriber) {
  const Connection& from = *subscriber.topic->busy;
  if (subscriber.sent == from.whole) return;
  const Transfer out = write_some(
      subscriber.socket, {from.bytes.data() + subscriber.sent, from.whole - subscriber.sent});
  subscriber.sent = out.closed ? from.whole : subscriber.sent + out.bytes;
  if (subscriber.sent == from.whole) --subscriber.topic->owing;
}

/// Everybody has the bytes: whoever has more to read on this topic goes on.
void Relay::release(Topic& topic) {
  topic.busy = nullptr;
  for (auto& connection : connections_) {
    if (connection && connection->publisher && connection->topic == &topic) pump(*connection);
  }
}

void Relay::drop(std::size_t index) {
  Connection& connection = *connections_[index];
  if (Topic* topic = connection.topic; topic != nullptr) {
    std::erase(topic->subscribers, &connection);
    if (topic->busy == &connection) {
      topic->busy = nullptr;
      topic->owing = 0;
    } else if (topic->busy != nullptr && !connection.publisher &&
               connection.sent < topic->busy->whole && --topic->owing == 0) {
      release(*topic);
    }
  }
  close(connection.socket);
  connections_[index].reset();
}

unsigned long argument(int argc, char** argv, int index, unsigned long otherwise) {
  return argc > index ? std::strtoul(argv[index], nullptr, 10) : otherwise;
}

/// sluice_relay [PORT [READ_BYTES]]
int relay_main(int argc, char** argv) {
  auto port = static_cast<std::uint16_t>(argument(argc, argv, 1, 0));
  raise_descriptor_limit();
  const int listener = listen_on(port);
  std::printf("ready relay=127.0.0.1:%u pid=%d\n", static_cast<unsigned>(port), getpid());
  std::fflush(stdout);
  Relay(listener, argument(argc, argv, 2, kDefaultReadBytes)).run();
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::bench::relay_main(argc, argv); }
