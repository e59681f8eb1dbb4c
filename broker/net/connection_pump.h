// connection_pump.h: one socket and its connection: bytes in, bytes out, and an orderly end.
//
// Owner:    ShardLoop. Borrows the loop and the shard.
// Thread:   the shard's thread only.
// Limits:   after close() the peer has kLinger to take what is left and to close its side; what it
//           still sends is read and thrown away, so that our last frame is not lost to a reset.
// Order:    the shard's Connection is used until the shard calls close() or is told closed().
// Tests:    tests/unit/broker/net/shard_loop_test.cc

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "broker/port/link.h"
#include "broker/shard/shard.h"
#include "libs/loop/tcp_stream.h"
#include "libs/loop/timer.h"

namespace sluice::net {

class ConnectionPump;

/// What a pump tells its owner.
class PumpOwner {
 public:
  /// The pump does nothing any more and may be destroyed after the turn.
  virtual void on_pump_done(ConnectionPump& pump) = 0;
  /// The pump has read its share of this turn: resume_reading() is wanted in the next one.
  virtual void on_pump_sated(ConnectionPump& pump) = 0;
  /// A write failed inside the shard's own call: the shard must be told after it.
  virtual void on_pump_broken(ConnectionPump& pump) = 0;

 protected:
  ~PumpOwner() = default;
};

class ConnectionPump final : public port::Link, private loop::StreamHandler {
 public:
  static constexpr std::chrono::seconds kLinger{2};

  ConnectionPump(loop::Loop& loop, loop::OwnedFd socket, shard::Shard& shard, PumpOwner& owner,
                 const shard::Options& options);

  /// Makes the shard's connection and starts reading. False when the shard refuses it.
  bool start();
  /// A new turn has begun. For the owner, after on_pump_sated.
  void resume_reading();
  /// Tells the shard of a write that failed. For the owner, after on_pump_broken.
  void report_broken();

  // port::Link
  void write(std::span<const base::ByteView> pieces, std::vector<base::SlabRef>& keep_alive,
             base::ByteView transient) override;
  std::size_t unsent_bytes() const override { return stream_.pending_bytes(); }
  void set_reading(bool on) override;
  void close() override;

 private:
  enum class State : std::uint8_t { kOpen, kLingering, kDone };

  base::MutableByteView on_alloc() override;
  void on_read(std::size_t bytes) override;
  void on_end() override;
  void on_error(const base::Error& error) override;
  void on_drained() override;
  void done();

  loop::Loop& loop_;
  shard::Shard& shard_;
  PumpOwner& owner_;
  loop::TcpStream stream_;
  shard::Connection* connection_ = nullptr;
  const std::size_t read_bytes_turn_;
  std::size_t read_bytes_ = 0;  // since it was last sated
  bool wants_reading_ = true;   // as the shard has it
  bool sated_ = false;
  bool peer_ended_ = false;  // since close(): nothing more is to be thrown away
  State state_ = State::kOpen;
  std::optional<base::Error> broken_;
  std::unique_ptr<loop::Timer> linger_;
  std::vector<loop::Buffer> buffers_;
};

}  // namespace sluice::net
