#include "libs/loop/tcp_stream.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "libs/loop/socket.h"
#include "libs/loop/uv_internal.h"

namespace sluice::loop {
namespace {

using base::ErrorCode;

// A Buffer is passed to libuv as it stands.
static_assert(sizeof(Buffer) == sizeof(uv_buf_t));
static_assert(offsetof(Buffer, data) == offsetof(uv_buf_t, base));
static_assert(offsetof(Buffer, size) == offsetof(uv_buf_t, len));

// Descriptors that a drained stream keeps room for; an idle connection should cost little.
constexpr std::size_t kIdleCapacity = 64;

const uv_buf_t* as_uv(const Buffer* buffers) { return reinterpret_cast<const uv_buf_t*>(buffers); }

bool lies_in(const Buffer& buffer, base::ByteView bytes) {
  return !bytes.empty() && buffer.data >= bytes.data() && buffer.data < bytes.data() + bytes.size();
}

base::ByteView block_of(const base::SlabRef& slab) { return {slab->data(), slab->capacity()}; }

std::size_t pinned_share(const base::SlabRef& slab) {
  return slab->capacity() / std::min(slab->references(), TcpStream::kSharersCounted);
}

template <typename T>
void clear_and_trim(std::vector<T>& items) {
  items.clear();
  if (items.capacity() > kIdleCapacity) items.shrink_to_fit();
}

}  // namespace

struct TcpStream::Impl {
  enum class Writing : std::uint8_t { kOpen, kShuttingDown, kShutDown };

  Loop& loop;
  StreamHandler* handler;  // null once closed: no callback comes after
  base::SlabAccount* account = nullptr;
  uv_tcp_t handle{};
  uv_write_t write_request{};
  uv_shutdown_t shutdown_request{};
  bool is_reading = false;
  bool in_flight = false;  // write_request is with libuv
  bool failed = false;
  bool above_high = false;
  Writing writing = Writing::kOpen;
  std::size_t high_watermark = std::numeric_limits<std::size_t>::max();
  std::size_t low_watermark = 0;
  std::size_t queued_bytes = 0;
  std::vector<Buffer> queued{};                 // not with libuv yet
  std::vector<base::SlabRef> queued_keep{};     // keeps `queued` alive
  std::vector<base::SlabRef> in_flight_keep{};  // keeps what is with libuv alive

  uv_stream_t* stream() noexcept { return reinterpret_cast<uv_stream_t*>(&handle); }
  std::size_t pending_bytes() const noexcept {
    return queued_bytes +
           uv_stream_get_write_queue_size(reinterpret_cast<const uv_stream_t*>(&handle));
  }

  base::Result<std::size_t> try_write(std::span<const Buffer> buffers);
  void enqueue(std::span<const Buffer> buffers, std::size_t skip_bytes,
               std::vector<base::SlabRef>& keep_alive, base::ByteView transient);
  static std::size_t drop_unneeded(std::vector<base::SlabRef>& keep_alive,
                                   std::span<const Buffer> rest, base::ByteView transient);
  void copy_all(std::span<const Buffer> rest, std::size_t bytes);
  void copy_transient(std::span<Buffer> rest, base::ByteView transient);
  void send_queued();
  void on_written(int status);
  void on_read_result(std::int64_t bytes);
  void report_error(int status, const char* doing);
  void maybe_shut_down();
};

// The bytes that the kernel took at once.
base::Result<std::size_t> TcpStream::Impl::try_write(std::span<const Buffer> buffers) {
  std::size_t total = 0;
  while (!buffers.empty()) {
    const auto chunk = buffers.first(std::min(buffers.size(), kBuffersPerCall));
    std::size_t chunk_bytes = 0;
    for (const Buffer& buffer : chunk) chunk_bytes += buffer.size;
    const int written =
        uv_try_write(stream(), as_uv(chunk.data()), static_cast<unsigned>(chunk.size()));
    if (written == UV_EAGAIN) break;
    if (written < 0) {
      failed = true;
      return base::fail(uv_error(ErrorCode::kConnectionLost, written, "writing"));
    }
    total += static_cast<std::size_t>(written);
    if (static_cast<std::size_t>(written) < chunk_bytes) break;
    buffers = buffers.subspan(chunk.size());
  }
  return total;
}

// Remembers what the kernel did not take, and takes over what keeps that alive.
void TcpStream::Impl::enqueue(std::span<const Buffer> buffers, std::size_t skip_bytes,
                              std::vector<base::SlabRef>& keep_alive, base::ByteView transient) {
  std::vector<Buffer> rest;
  std::size_t bytes = 0;
  for (Buffer buffer : buffers) {
    const std::size_t skipped = std::min(skip_bytes, buffer.size);
    skip_bytes -= skipped;
    buffer.data += skipped;
    buffer.size -= skipped;
    bytes += buffer.size;
    if (buffer.size > 0) rest.push_back(buffer);
  }
  if (rest.empty()) return;
  queued_bytes += bytes;
  const std::size_t pinned = drop_unneeded(keep_alive, rest, transient);
  if (pinned > kPinnedPerCopied * bytes) {
    copy_all(rest, bytes);
  } else {
    copy_transient(rest, transient);
    for (base::SlabRef& reference : keep_alive) queued_keep.push_back(std::move(reference));
    queued.insert(queued.end(), rest.begin(), rest.end());
  }
  keep_alive.clear();
}

// Lets go of the references that only kept what has left. Both lists have the same order, so they
// are walked from their ends. Returns the bytes that the others keep alive.
std::size_t TcpStream::Impl::drop_unneeded(std::vector<base::SlabRef>& keep_alive,
                                           std::span<const Buffer> rest, base::ByteView transient) {
  std::size_t first = keep_alive.size();
  std::size_t pinned = 0;
  for (auto buffer = rest.rbegin(); buffer != rest.rend(); ++buffer) {
    if (lies_in(*buffer, transient)) continue;
    std::size_t at = first;
    if (at < keep_alive.size() && lies_in(*buffer, block_of(keep_alive[at]))) continue;
    while (at > 0 && !lies_in(*buffer, block_of(keep_alive[at - 1]))) --at;
    if (at == 0) continue;  // static bytes
    for (std::size_t i = at - 1; i < first; ++i) pinned += pinned_share(keep_alive[i]);
    first = at - 1;
  }
  keep_alive.erase(keep_alive.begin(), keep_alive.begin() + static_cast<std::ptrdiff_t>(first));
  return pinned;
}

void TcpStream::Impl::copy_all(std::span<const Buffer> rest, std::size_t bytes) {
  base::SlabRef block = base::SlabRef::make(bytes, account);
  std::byte* to = block->data();
  for (const Buffer& buffer : rest) {
    std::memcpy(to, buffer.data, buffer.size);
    to += buffer.size;
  }
  queued.push_back({block->data(), bytes});
  queued_keep.push_back(std::move(block));
}

// What lies within `transient` is copied as one piece.
void TcpStream::Impl::copy_transient(std::span<Buffer> rest, base::ByteView transient) {
  const std::byte* begin = nullptr;
  const std::byte* end = nullptr;
  for (const Buffer& buffer : rest) {
    if (!lies_in(buffer, transient)) continue;
    if (begin == nullptr || buffer.data < begin) begin = buffer.data;
    if (end == nullptr || buffer.data + buffer.size > end) end = buffer.data + buffer.size;
  }
  if (begin == nullptr) return;
  const auto bytes = static_cast<std::size_t>(end - begin);
  base::SlabRef block = base::SlabRef::make(bytes, account);
  std::memcpy(block->data(), begin, bytes);
  for (Buffer& buffer : rest) {
    if (lies_in(buffer, transient)) buffer.data = block->data() + (buffer.data - begin);
  }
  queued_keep.push_back(std::move(block));
}

void TcpStream::Impl::send_queued() {
  ASSERT(!in_flight);
  ASSERT(in_flight_keep.empty());
  if (queued.empty()) return;
  in_flight = true;
  in_flight_keep.swap(queued_keep);
  queued_bytes = 0;
  write_request.data = this;
  // libuv copies the descriptors.
  const int status =
      uv_write(&write_request, stream(), as_uv(queued.data()), static_cast<unsigned>(queued.size()),
               [](uv_write_t* request, int outcome) noexcept {
                 static_cast<Impl*>(request->data)->on_written(outcome);
               });
  clear_and_trim(queued);
  if (status != 0) on_written(status);
}

void TcpStream::Impl::on_written(int status) {
  in_flight = false;
  clear_and_trim(in_flight_keep);
  if (handler == nullptr) return;
  loop.impl().enter();
  if (status < 0) return report_error(status, "writing");
  send_queued();
  const std::size_t pending = pending_bytes();
  if (above_high && pending <= low_watermark) {
    above_high = false;
    handler->on_low_watermark();
  }
  // The callback may have closed the stream, or written again.
  if (handler == nullptr || failed || pending_bytes() > 0) return;
  maybe_shut_down();
  handler->on_drained();
}

void TcpStream::Impl::on_read_result(std::int64_t bytes) {
  if (handler == nullptr) return;
  loop.impl().enter();
  if (bytes > 0) return handler->on_read(static_cast<std::size_t>(bytes));
  if (bytes == 0) return;  // nothing there after all
  if (bytes == UV_EOF) {
    is_reading = false;
    return handler->on_end();
  }
  report_error(static_cast<int>(bytes), "reading");
}

void TcpStream::Impl::report_error(int status, const char* doing) {
  is_reading = false;
  uv_read_stop(stream());
  if (std::exchange(failed, true)) return;
  handler->on_error(uv_error(ErrorCode::kConnectionLost, status, doing));
}

void TcpStream::Impl::maybe_shut_down() {
  if (writing != Writing::kShuttingDown || in_flight || failed) return;
  writing = Writing::kShutDown;
  uv_shutdown(&shutdown_request, stream(), nullptr);
}

TcpStream::TcpStream(Loop& loop, OwnedFd socket, StreamHandler& handler,
                     const StreamOptions& options)
    : impl_(new Impl{loop, &handler, options.account}) {
  ASSERT(socket);
  ASSERT(uv_tcp_init(register_handle(loop), &impl_->handle) == 0);
  impl_->handle.data = impl_;
  ASSERT(uv_tcp_open(&impl_->handle, socket.release()) == 0);
  if (options.no_delay) uv_tcp_nodelay(&impl_->handle, 1);
  const auto idle = std::chrono::ceil<std::chrono::seconds>(options.keep_alive);
  if (idle.count() > 0) uv_tcp_keepalive(&impl_->handle, 1, static_cast<unsigned>(idle.count()));
  auto* handle = reinterpret_cast<uv_handle_t*>(&impl_->handle);
  int bytes = options.send_buffer_bytes;
  if (bytes > 0) uv_send_buffer_size(handle, &bytes);
  bytes = options.receive_buffer_bytes;
  if (bytes > 0) uv_recv_buffer_size(handle, &bytes);
}

TcpStream::~TcpStream() {
  ASSERT(impl_->loop.is_owner());
  impl_->handler = nullptr;
  // libuv calls back a write under way with UV_ECANCELED before it lets go of the handle.
  close_and_delete(impl_->loop, impl_, &impl_->handle);
}

void TcpStream::start_reading() {
  DASSERT(impl_->loop.is_owner());
  if (impl_->is_reading || impl_->failed) return;
  impl_->is_reading = true;
  uv_read_start(
      impl_->stream(),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* room) noexcept {
        Impl* impl = static_cast<Impl*>(handle->data);
        impl->loop.impl().enter();
        const base::MutableByteView view = impl->handler->on_alloc();
        room->base = reinterpret_cast<char*>(view.data());
        room->len = view.size();
      },
      [](uv_stream_t* stream, ssize_t bytes, const uv_buf_t*) noexcept {
        static_cast<Impl*>(stream->data)->on_read_result(bytes);
      });
}

void TcpStream::pause_reading() noexcept {
  DASSERT(impl_->loop.is_owner());
  impl_->is_reading = false;
  uv_read_stop(impl_->stream());
}

bool TcpStream::is_reading() const noexcept { return impl_->is_reading; }

base::Status TcpStream::write(std::span<const Buffer> buffers,
                              std::vector<base::SlabRef>& keep_alive, base::ByteView transient) {
  Impl& impl = *impl_;
  DASSERT(impl.loop.is_owner());
  ASSERT(impl.writing == Impl::Writing::kOpen);
  if (impl.failed) return base::fail(ErrorCode::kConnectionLost, "writing after an error");
  std::size_t written = 0;
  if (!impl.in_flight) {
    auto at_once = impl.try_write(buffers);
    if (!at_once) return base::fail(at_once.error());
    written = *at_once;
  }
  impl.enqueue(buffers, written, keep_alive, transient);
  if (impl.queued.empty()) return {};
  if (!impl.in_flight) impl.send_queued();
  if (!impl.above_high && impl.pending_bytes() >= impl.high_watermark) {
    impl.above_high = true;
    impl.handler->on_high_watermark();
  }
  return {};
}

base::Status TcpStream::write_copy(base::ByteView bytes) {
  const Buffer buffer{bytes.data(), bytes.size()};
  std::vector<base::SlabRef> nothing;
  return write({&buffer, 1}, nothing, bytes);
}

std::size_t TcpStream::pending_bytes() const noexcept { return impl_->pending_bytes(); }

void TcpStream::set_watermarks(std::size_t high, std::size_t low) noexcept {
  ASSERT(low <= high);
  impl_->high_watermark = high;
  impl_->low_watermark = low;
}

void TcpStream::shutdown_write() {
  DASSERT(impl_->loop.is_owner());
  if (impl_->writing != Impl::Writing::kOpen) return;
  impl_->writing = Impl::Writing::kShuttingDown;
  impl_->maybe_shut_down();
}

HostPort TcpStream::local_address() const {
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<uv_handle_t*>(&impl_->handle), &fd);
  return local_address_of(fd);
}

HostPort TcpStream::peer_address() const {
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<uv_handle_t*>(&impl_->handle), &fd);
  return peer_address_of(fd);
}

}  // namespace sluice::loop
