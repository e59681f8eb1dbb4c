#include "broker/net/connection_pump.h"

#include <array>
#include <utility>

#include "libs/base/assert.h"

namespace sluice::net {
namespace {

loop::StreamOptions stream_options(base::Duration keepalive, base::SlabAccount* account) {
  loop::StreamOptions options;
  options.keep_alive = keepalive;
  options.account = account;
  return options;
}

// Where bytes go that nobody will read. Written to by any number of pumps, read by none.
base::MutableByteView drain_room() {
  static thread_local std::array<std::byte, 16384> room;
  return room;
}

}  // namespace

ConnectionPump::ConnectionPump(loop::Loop& loop, loop::OwnedFd socket, shard::Shard& shard,
                               PumpOwner& owner, const shard::Options& options)
    : loop_(loop),
      shard_(shard),
      owner_(owner),
      stream_(loop, std::move(socket), *this,
              stream_options(options.keepalive, shard.core().pool.account())),
      read_bytes_turn_(options.read_bytes_turn) {}

bool ConnectionPump::start() {
  connection_ = shard_.open(*this, stream_.peer_address().text());
  if (connection_ == nullptr) {
    // As far as the socket takes it at once: an attempt to say why.
    static_cast<void>(stream_.write_copy(shard_.refusal()));
    return false;
  }
  stream_.start_reading();
  return true;
}

void ConnectionPump::write(std::span<const base::ByteView> pieces,
                           std::vector<base::SlabRef>& keep_alive, base::ByteView transient) {
  if (broken_) return;
  buffers_.clear();
  for (const base::ByteView piece : pieces) buffers_.push_back({piece.data(), piece.size()});
  const base::Status written = stream_.write(buffers_, keep_alive, transient);
  if (written) return;
  broken_ = written.error();
  owner_.on_pump_broken(*this);
}

void ConnectionPump::report_broken() {
  if (state_ != State::kOpen) {
    done();
    return;
  }
  shard_.closed(*connection_, &*broken_);
  done();
}

void ConnectionPump::set_reading(bool on) {
  if (state_ != State::kOpen) return;
  wants_reading_ = on;
  if (on && !sated_) {
    stream_.start_reading();
  } else {
    stream_.pause_reading();
  }
}

void ConnectionPump::resume_reading() {
  read_bytes_ = 0;
  if (!std::exchange(sated_, false)) return;
  if (state_ == State::kOpen && wants_reading_) stream_.start_reading();
}

void ConnectionPump::close() {
  if (state_ != State::kOpen) return;
  state_ = State::kLingering;
  connection_ = nullptr;
  if (broken_) return;  // report_broken() follows
  stream_.shutdown_write();
  stream_.start_reading();
  linger_ = std::make_unique<loop::Timer>(loop_, [this] { done(); });
  linger_->start(kLinger);
}

base::MutableByteView ConnectionPump::on_alloc() {
  return state_ == State::kOpen ? shard_.prepare(*connection_) : drain_room();
}

void ConnectionPump::on_read(std::size_t bytes) {
  if (state_ != State::kOpen) return;
  shard_.received(*connection_, bytes);
  read_bytes_ += bytes;
  if (read_bytes_ < read_bytes_turn_ || sated_ || state_ != State::kOpen) return;
  sated_ = true;
  stream_.pause_reading();
  owner_.on_pump_sated(*this);
}

void ConnectionPump::on_end() {
  if (state_ == State::kOpen) {
    // The peer sends no more, but may still want what it is owed.
    shard_.ended(*connection_);
    return;
  }
  peer_ended_ = true;
  if (stream_.pending_bytes() == 0) done();  // else on_drained() follows
}

void ConnectionPump::on_error(const base::Error& error) {
  if (state_ == State::kOpen) shard_.closed(*connection_, &error);
  done();
}

void ConnectionPump::on_drained() {
  if (state_ == State::kOpen) {
    shard_.writable(*connection_);
  } else if (peer_ended_) {
    done();
  }
}

void ConnectionPump::done() {
  if (state_ == State::kDone) return;
  state_ = State::kDone;
  connection_ = nullptr;
  stream_.pause_reading();
  if (linger_) linger_->cancel();
  owner_.on_pump_done(*this);
}

}  // namespace sluice::net
