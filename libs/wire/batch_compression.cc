#include "libs/wire/batch_compression.h"

#include <lz4.h>
#include <memory>
#include <string>
#include <zstd.h>

#include "libs/wire/batch_layout.h"

namespace sluice::wire {
namespace {

using base::ErrorCode;

constexpr int kZstdLevel = 1;  // batches are compressed while their publisher waits

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

/// Bytes written to `to`, 0 when they do not fit.
std::size_t compress_lz4(ByteView from, base::MutableByteView to) noexcept {
  if (from.size() > LZ4_MAX_INPUT_SIZE) return 0;
  const int written = LZ4_compress_default(
      reinterpret_cast<const char*>(from.data()), reinterpret_cast<char*>(to.data()),
      static_cast<int>(from.size()), static_cast<int>(to.size()));
  return static_cast<std::size_t>(written);
}

std::size_t compress_zstd(ByteView from, base::MutableByteView to) {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  const std::size_t written =
      ZSTD_compressCCtx(context.get(), to.data(), to.size(), from.data(), from.size(), kZstdLevel);
  return ZSTD_isError(written) != 0 ? 0 : written;
}

tl::unexpected<base::Error> bad(std::string detail) {
  return base::fail(ErrorCode::kDecompression, std::move(detail));
}

base::Status decompress_lz4(ByteView from, std::uint32_t size, std::vector<std::byte>& to) {
  // No LZ4 block grows by more than 255 times: refused before there is room for the claim.
  if (size > LZ4_MAX_INPUT_SIZE || size / 255 > from.size()) {
    return bad("lz4: " + std::to_string(size) + " bytes cannot come of " +
               std::to_string(from.size()));
  }
  to.resize(size);
  const int read = LZ4_decompress_safe(reinterpret_cast<const char*>(from.data()),
                                       reinterpret_cast<char*>(to.data()),
                                       static_cast<int>(from.size()), static_cast<int>(size));
  if (read < 0) return bad("lz4: not a block of at most " + std::to_string(size) + " bytes");
  if (static_cast<std::uint32_t>(read) != size) {
    return bad("lz4: " + std::to_string(read) + " bytes instead of " + std::to_string(size));
  }
  return {};
}

base::Status decompress_zstd(ByteView from, std::uint32_t size, std::vector<std::byte>& to) {
  // The frame must name the same size as the batch: refused before there is room for either.
  if (ZSTD_getFrameContentSize(from.data(), from.size()) != size) {
    return bad("zstd: the content size is not " + std::to_string(size));
  }
  if (ZSTD_findFrameCompressedSize(from.data(), from.size()) != from.size()) {
    return bad("zstd: not one whole frame");
  }
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  to.resize(size);
  const std::size_t read =
      ZSTD_decompressDCtx(context.get(), to.data(), to.size(), from.data(), from.size());
  if (ZSTD_isError(read) != 0) return bad(std::string("zstd: ") + ZSTD_getErrorName(read));
  if (read != size) {
    return bad("zstd: " + std::to_string(read) + " bytes instead of " + std::to_string(size));
  }
  return {};
}

}  // namespace

bool compress_records(Compression compression, ByteView batch, std::vector<std::byte>& out) {
  const ByteView records = batch.subspan(kBatchHeaderBytes);
  // Room for one byte less than the records: what does not fit is not worth it.
  out.resize(batch.size() - 1);
  const base::MutableByteView to(out.data() + kBatchHeaderBytes, out.size() - kBatchHeaderBytes);
  const std::size_t written =
      compression == Compression::kLz4 ? compress_lz4(records, to) : compress_zstd(records, to);
  out.resize(kBatchHeaderBytes + written);
  return written != 0;
}

base::Result<ByteView> batch_records(ByteView batch, std::vector<std::byte>& storage) {
  const BatchHeader header = read_batch_header(batch);
  const ByteView stored = batch.subspan(kBatchHeaderBytes);
  if (header.compression == Compression::kNone) return stored;
  auto status = header.compression == Compression::kLz4
                    ? decompress_lz4(stored, header.records_bytes, storage)
                    : decompress_zstd(stored, header.records_bytes, storage);
  if (status) status = check_records_of(header, storage);
  if (!status) return base::fail(std::move(status.error()));
  return ByteView(storage);
}

}  // namespace sluice::wire
