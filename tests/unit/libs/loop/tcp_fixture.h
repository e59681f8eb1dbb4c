// tcp_fixture.h: two connected streams on one loop, and a handler that records what it is told.
//
// Thread:   one.

#pragma once

#include <array>
#include <deque>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

#include "libs/loop/tcp_connector.h"
#include "libs/loop/tcp_listener.h"
#include "libs/loop/tcp_stream.h"

namespace sluice::loop {

class RecordingHandler final : public StreamHandler {
 public:
  base::MutableByteView on_alloc() override { return room_; }
  void on_read(std::size_t bytes) override {
    bytes_read += bytes;
    if (keep_text) received.append(reinterpret_cast<const char*>(room_.data()), bytes);
    if (check_byte) check_byte({room_.data(), bytes});
    if (read_hook) read_hook();
  }
  void on_end() override { ended = true; }
  void on_error(const base::Error& error) override { errors.push_back(error); }
  void on_drained() override { ++drained; }
  void on_high_watermark() override { ++high; }
  void on_low_watermark() override { ++low; }

  std::string received;
  bool keep_text = true;
  std::size_t bytes_read = 0;
  bool ended = false;
  int drained = 0;
  int high = 0;
  int low = 0;
  std::vector<base::Error> errors;
  std::function<void()> read_hook;
  std::function<void(base::ByteView)> check_byte;

 private:
  std::array<std::byte, 65536> room_{};
};

class TcpPair : public testing::Test {
 protected:
  void SetUp() override { connect({}, {}); }

  void connect(const StreamOptions& near_options, const StreamOptions& far_options) {
    near.reset();
    far.reset();
    OwnedFd accepted;
    OwnedFd connected;
    TcpListener listener(loop, {[&](OwnedFd fd) { accepted = std::move(fd); }, {}});
    ASSERT_TRUE(listener.listen({"127.0.0.1", 0}));
    TcpConnector connector(loop);
    connector.connect(listener.local_address(), [&](base::Result<OwnedFd> fd) {
      ASSERT_TRUE(fd) << fd.error().message();
      connected = std::move(*fd);
    });
    run_until([&] { return accepted && connected; });
    near = std::make_unique<TcpStream>(loop, std::move(connected), near_handler, near_options);
    far = std::make_unique<TcpStream>(loop, std::move(accepted), far_handler, far_options);
    near->start_reading();
    far->start_reading();
  }

  template <typename Condition>
  void run_until(Condition condition) {
    while (!condition()) loop.run_once();
  }

  Loop loop;
  RecordingHandler near_handler;
  RecordingHandler far_handler;
  std::unique_ptr<TcpStream> near;
  std::unique_ptr<TcpStream> far;
};

}  // namespace sluice::loop
