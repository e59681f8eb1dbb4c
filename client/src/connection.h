// connection.h: one attempt to talk to the broker: connect, greet, frames in and out, end.
//
// Owner:    the engine, on the I/O thread. A connection that is lost tells on_lost once and is then
//           only to be destroyed, but not inside one of its callbacks.
// Thread:   the I/O thread.
// Limits:   connect_timeout until WELCOME; kWriteBytesPerTurn of batches a turn, and none while
//           bytes of an earlier turn have not left.
// Errors:   to on_lost: kConnectFailed, kTimeout, kConnectionLost, those of wire decoding, what the
//           broker's closing ERROR said.
// Tests:    tests/unit/client/client_test.cc

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <sluice/client.h>
#include <vector>

#include "client/src/batch_body.h"
#include "libs/loop/address.h"
#include "libs/loop/tcp_connector.h"
#include "libs/loop/tcp_stream.h"
#include "libs/loop/timer.h"
#include "libs/wire/codec.h"
#include "libs/wire/frame_reader.h"

namespace sluice::detail {

using SharedBatch = std::shared_ptr<const std::vector<std::byte>>;

class Connection final : public loop::StreamHandler {
 public:
  static constexpr std::size_t kWriteBytesPerTurn = 512U << 10;

  struct Callbacks {
    std::function<void(const wire::Welcome&)> on_open;
    std::function<void(const wire::Frame&)> on_frame;
    std::function<void(const Error&)> on_lost;
  };

  Connection(loop::Loop& loop, wire::SlabCursor& cursor, const ClientOptions& options,
             Callbacks callbacks);

  /// `producer_epoch` is what an idempotent producer was given by its first WELCOME, else 0.
  void open(const loop::HostPort& server, std::uint64_t producer_epoch);

  bool is_open() const noexcept { return state_ == State::kOpen; }
  /// More batches may be given to send_publish in this turn.
  bool can_publish() const noexcept {
    return is_open() && batches_leaving_.empty() && batch_bytes_ < kWriteBytesPerTurn;
  }
  std::uint32_t max_frame_bytes() const noexcept { return max_frame_bytes_; }
  base::MonotonicTime last_received() const noexcept { return last_received_; }

  /// Frames leave together when flush() is called, in the order they were given.
  template <typename Frame>
  void send(const Frame& frame, std::uint64_t correlation) {
    wire::encode(out_, frame, correlation);
  }
  void send_publish(const wire::Publish& publish, std::uint64_t number, std::uint8_t flags,
                    std::vector<std::byte> batch);
  /// The same with bytes that are kept, to be sent again.
  void send_publish(const wire::Publish& publish, std::uint64_t number, std::uint8_t flags,
                    SharedBatch batch);
  void flush();
  /// After what has been sent, says that nothing more comes; the broker then closes. It is not open
  /// any more: frames still come in, and what is sent goes nowhere.
  void finish();
  /// Gives the connection up, as if it had been lost for this reason.
  void lose(const Error& reason);

 private:
  enum class State : std::uint8_t { kNew, kConnecting, kGreeting, kOpen, kFinishing, kLost };
  struct Segment {
    std::size_t out_end;  // bytes of out_ that go before the batch
    std::vector<std::byte> batch;
    SharedBatch shared;  // instead of `batch`
    ByteView bytes() const noexcept { return shared ? ByteView(*shared) : ByteView(batch); }
  };

  base::MutableByteView on_alloc() override { return reader_.prepare(); }
  void on_read(std::size_t bytes) override;
  void on_end() override;
  void on_error(const base::Error& error) override { lose(error); }
  void on_drained() override;

  void add_publish(const wire::Publish& publish, std::uint64_t number, std::uint8_t flags,
                   Segment&& segment);
  void on_connected(base::Result<loop::OwnedFd> socket);
  void on_greeting(const wire::Frame& frame);

  loop::Loop& loop_;
  const ClientOptions& options_;
  Callbacks callbacks_;
  State state_ = State::kNew;
  loop::TcpConnector connector_;
  loop::Timer timeout_;
  wire::FrameReader reader_;
  std::optional<loop::TcpStream> stream_;
  std::uint64_t producer_epoch_ = 0;
  std::uint32_t max_frame_bytes_ = 0;
  base::MonotonicTime last_received_;

  std::vector<std::byte> out_;     // headers and control frames of this turn
  std::vector<Segment> segments_;  // batches among them
  std::size_t batch_bytes_ = 0;
  std::vector<Segment> batches_leaving_;  // the kernel has not taken all of them yet
  std::vector<loop::Buffer> buffers_;
};

}  // namespace sluice::detail
