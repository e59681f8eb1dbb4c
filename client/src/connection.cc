#include "client/src/connection.h"

#include <utility>

#include "libs/base/assert.h"

namespace sluice::detail {

Connection::Connection(loop::Loop& loop, wire::SlabCursor& cursor, const ClientOptions& options,
                       Callbacks callbacks)
    : loop_(loop),
      options_(options),
      callbacks_(std::move(callbacks)),
      connector_(loop),
      timeout_(loop,
               [this] {
                 lose({ErrorCode::kTimeout, "no connection and greeting within connect_timeout"});
               }),
      reader_(cursor, wire::kMaxHandshakeBody) {}

void Connection::open(const loop::HostPort& server, std::uint64_t producer_epoch) {
  ASSERT(state_ == State::kNew);
  producer_epoch_ = producer_epoch;
  state_ = State::kConnecting;
  timeout_.start(options_.connect_timeout);
  connector_.connect(
      server, [this](base::Result<loop::OwnedFd> socket) { on_connected(std::move(socket)); });
}

void Connection::on_connected(base::Result<loop::OwnedFd> socket) {
  if (!socket) return lose(socket.error());
  state_ = State::kGreeting;
  stream_.emplace(loop_, std::move(*socket), *this);
  stream_->start_reading();
  wire::Hello hello;
  hello.features = wire::kFeatureLz4 | wire::kFeatureZstd;
  hello.max_frame = options_.max_frame_bytes;
  hello.producer_id = options_.producer_id;
  hello.producer_epoch = producer_epoch_;
  hello.client_name = options_.name;
  hello.client_version = SLUICE_VERSION;
  wire::encode(out_, hello, 1);
  flush();
}

void Connection::on_read(std::size_t bytes) {
  last_received_ = loop_.now();
  reader_.commit(bytes);
  while (state_ != State::kLost) {
    auto frame = reader_.next();
    if (!frame) return lose(frame.error());
    if (!frame->has_value()) break;
    if (state_ == State::kGreeting) {
      on_greeting(**frame);
    } else {
      callbacks_.on_frame(**frame);
    }
  }
  reader_.settle();
}

void Connection::on_greeting(const wire::Frame& frame) {
  if (frame.header.kind == wire::FrameKind::kError) {
    auto error = wire::decode<wire::ErrorFrame>(frame.header, frame.body.view());
    if (!error) return lose(error.error());
    return lose({static_cast<ErrorCode>(error->code), std::string(error->text)});
  }
  if (frame.header.kind != wire::FrameKind::kWelcome) {
    return lose({ErrorCode::kUnexpectedFrame, "before WELCOME"});
  }
  auto welcome = wire::decode<wire::Welcome>(frame.header, frame.body.view());
  if (!welcome) return lose(welcome.error());
  if ((welcome->features & wire::kFeatureAuthRequired) != 0) {
    return lose({ErrorCode::kUnsupportedFeature, "the broker asks for authentication"});
  }
  timeout_.cancel();
  max_frame_bytes_ = welcome->max_frame;
  reader_.set_max_body(options_.max_frame_bytes);
  state_ = State::kOpen;
  callbacks_.on_open(*welcome);
}

void Connection::on_end() {
  lose({ErrorCode::kConnectionLost, "the broker closed the connection"});
}

void Connection::on_drained() { batches_leaving_.clear(); }

void Connection::send_publish(const wire::Publish& publish, std::uint64_t number,
                              std::uint8_t flags, std::vector<std::byte> batch) {
  add_publish(publish, number, flags, {0, std::move(batch), nullptr});
}

void Connection::send_publish(const wire::Publish& publish, std::uint64_t number,
                              std::uint8_t flags, SharedBatch batch) {
  add_publish(publish, number, flags, {0, {}, std::move(batch)});
}

void Connection::add_publish(const wire::Publish& publish, std::uint64_t number, std::uint8_t flags,
                             Segment&& segment) {
  ASSERT(can_publish());
  wire::encode(out_, publish, number, flags);
  batch_bytes_ += segment.bytes().size();
  segment.out_end = out_.size();
  segments_.push_back(std::move(segment));
}

void Connection::flush() {
  if (state_ == State::kFinishing) out_.clear();
  if (out_.empty() || !stream_) return;
  buffers_.clear();
  std::size_t begin = 0;
  for (const Segment& segment : segments_) {
    buffers_.push_back({out_.data() + begin, segment.out_end - begin});
    buffers_.push_back({segment.bytes().data(), segment.bytes().size()});
    begin = segment.out_end;
  }
  if (begin < out_.size()) buffers_.push_back({out_.data() + begin, out_.size() - begin});
  std::vector<base::SlabRef> keep_alive;
  const Status written = stream_->write(buffers_, keep_alive, out_);
  // What could not leave at once is still read from the batches.
  const bool is_leaving = stream_->pending_bytes() > 0 && !segments_.empty();
  if (written && is_leaving) std::swap(batches_leaving_, segments_);
  out_.clear();
  segments_.clear();
  batch_bytes_ = 0;
  if (!written) lose(written.error());
}

void Connection::finish() {
  flush();
  if (state_ != State::kOpen) return;
  state_ = State::kFinishing;
  stream_->shutdown_write();
}

void Connection::lose(const Error& reason) {
  if (std::exchange(state_, State::kLost) == State::kLost) return;
  timeout_.cancel();
  connector_.cancel();
  if (stream_) stream_->pause_reading();
  callbacks_.on_lost(reason);
}

}  // namespace sluice::detail
