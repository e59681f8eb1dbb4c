// fake_broker.h: a broker for tests that does what it is told, on a real socket.
//
// It greets, opens topics, answers subscriptions and pings, and gives receipts as its Behaviour
// says. A test looks at what arrived with wait_for(), and sends anything with with_peer().
//
// Owner:    a test. Listens on 127.0.0.1, port 0, on a thread of its own.
// Thread:   public functions: the test's thread. Frames are handled on the broker's thread.

#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libs/loop/loop.h"
#include "libs/loop/tcp_listener.h"
#include "libs/loop/tcp_stream.h"
#include "libs/loop/wakeup.h"
#include "libs/wire/batch.h"
#include "libs/wire/codec.h"
#include "libs/wire/frame_reader.h"

namespace sluice::testing_support {

/// A publish as it arrived.
struct SeenPublish {
  std::uint64_t number = 0;
  std::uint8_t flags = 0;
  std::string topic;
  std::uint64_t deadline_ns = 0;
  int connection = 0;  // 1: the first
  std::uint64_t producer_id = 0;
  std::uint64_t producer_sequence = 0;
  std::vector<std::string> payloads;
  std::vector<std::pair<std::string, std::string>> headers;  // of the last message
};

struct SeenSubscribe {
  std::uint32_t id = 0;
  std::vector<std::string> filters;
  std::string overflow;
  std::uint64_t credit_messages = 0;
  std::uint64_t credit_bytes = 0;
  wire::Resume resume{};
};

struct SeenCancel {
  std::uint64_t target = 0;
  std::uint32_t topic = 0;
  std::string name;
};

struct SeenHello {
  std::uint64_t producer_id = 0;
  std::uint64_t producer_epoch = 0;
};

struct Seen {
  int connections = 0;
  std::vector<SeenHello> hellos;
  std::vector<SeenPublish> publishes;
  std::vector<SeenSubscribe> subscribes;
  std::vector<std::uint32_t> unsubscribes;
  std::vector<wire::Credit> credits;
  std::vector<std::string> opened;
  std::vector<SeenCancel> cancels;
  int pings = 0;
};

struct Behaviour {
  bool receipts = true;  // answer each publish at once with an accepted receipt
  bool give_grant_back = true;
  std::uint64_t window = 1U << 20;
  bool pongs = true;
  std::uint16_t refuse_subscribe = 0;  // an error code
  std::uint16_t refuse_open = 0;
  std::string hold_open{};  // a topic that is not opened before open_held()
  bool echo = false;        // deliver each publish to the first subscription
  bool answer_cancel = true;
  std::uint64_t withdrawn = 0;      // what CANCEL is answered with
  std::uint16_t refuse_cancel = 0;  // an error code
  wire::Resumed resumed{};          // told to those who come back
  std::uint64_t producer_next = 0;  // told to producers
  std::uint16_t refuse_hello = 0;   // an error code that closes
};

class FakeBroker {
 public:
  class Peer;

  explicit FakeBroker(Behaviour behaviour = {});
  ~FakeBroker();

  std::string address() const { return address_; }
  /// Waits until `condition(seen)` holds; false after ten seconds.
  bool wait_for(const std::function<bool(const Seen&)>& condition);
  Seen seen() const;
  /// Runs `action` on the broker's thread with the latest connection, and waits for it.
  void with_peer(const std::function<void(Peer&)>& action);
  void set_behaviour(const Behaviour& behaviour);
  /// Closes every connection; new ones are refused while it does not listen.
  void drop_connections();
  void stop_listening();
  void listen_again();

 private:
  friend class Peer;
  void run();
  void do_on_thread(std::function<void()> work);
  template <typename Change>
  void note(Change change) {
    const std::lock_guard lock(mutex_);
    change(seen_);
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Seen seen_;
  Behaviour behaviour_;
  std::vector<std::function<void()>> work_;
  std::string address_;
  loop::Loop* loop_ = nullptr;
  loop::Wakeup* wakeup_ = nullptr;
  std::function<void()> make_listener_;
  std::function<void()> stop_listening_;
  base::SlabPool pool_{65536, 4};
  wire::SlabCursor cursor_{pool_, 4096};
  std::vector<std::unique_ptr<Peer>> peers_;
  std::thread thread_;
};

/// One connection, on the broker's thread.
class FakeBroker::Peer final : public loop::StreamHandler {
 public:
  Peer(FakeBroker& broker, loop::Loop& loop, loop::OwnedFd socket);

  template <typename Frame>
  void send(const Frame& frame, std::uint64_t correlation = 0, std::uint8_t flags = 0) {
    std::vector<std::byte> bytes;
    wire::encode(bytes, frame, correlation, flags);
    write(bytes);
  }
  void write(const std::vector<std::byte>& bytes);
  /// Answers the OPEN_TOPIC that was held.
  void open_held();
  /// Names topic `id` and delivers one batch of it.
  void deliver(std::uint32_t subscription, std::uint64_t first_sequence,
               const std::vector<std::string>& payloads, const std::string& topic = "t");

 private:
  base::MutableByteView on_alloc() override { return reader_.prepare(); }
  void on_read(std::size_t bytes) override;
  void on_end() override {}
  void on_error(const base::Error&) override {}
  void handle(const wire::Frame& frame);
  void on_hello(const wire::Frame& frame);
  void on_publish(const wire::Frame& frame);
  void on_subscribe(const wire::Frame& frame);
  void on_cancel(const wire::Frame& frame);
  void on_open_topic(const wire::Frame& frame);
  void open(std::string name, std::uint64_t correlation);

  FakeBroker& broker_;
  wire::FrameReader reader_;
  const int number_;                 // 1: the first connection
  std::vector<std::string> topics_;  // id - 1
  std::pair<std::string, std::uint64_t> held_;
  std::vector<std::uint32_t> subscriptions_;
  std::uint64_t next_sequence_ = 1;
  loop::TcpStream stream_;
};

}  // namespace sluice::testing_support
