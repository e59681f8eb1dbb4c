// What the broker spends on a publish before it knows the topic: frames out of a stream, a PUBLISH
// decoded, its batch checked; and on a part of a batch, cut out. Batches are of 64 messages.

#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstring>
#include <string>

#include "libs/wire/batch.h"
#include "libs/wire/codec.h"
#include "libs/wire/frame_reader.h"

namespace sluice::wire {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint32_t kMessages = 64;
constexpr std::uint32_t kMaxBody = 1U << 20;

Bytes batch_of(std::int64_t payload_bytes) {
  const std::string payload(static_cast<std::size_t>(payload_bytes), 'p');
  BatchBuilder builder;
  for (std::uint32_t i = 0; i < kMessages; ++i) builder.add(base::as_bytes(payload));
  return builder.finish({});
}

Bytes publish_of(const Bytes& batch, std::uint64_t number) {
  Publish publish;
  publish.topic = 42;
  publish.batch = batch;
  Bytes frame;
  encode(frame, publish, number);
  frame.insert(frame.end(), batch.begin(), batch.end());
  return frame;
}

/// Messages and bytes per second, of `bytes` an iteration.
void count(benchmark::State& state, std::size_t bytes) {
  state.SetItemsProcessed(state.iterations() * kMessages);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void check_batch_of(benchmark::State& state) {
  const Bytes batch = batch_of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(check_batch(batch, kMaxBody));
  count(state, batch.size());
}
BENCHMARK(check_batch_of)->Arg(16)->Arg(128)->Arg(1024);

void walk_records_of(benchmark::State& state) {
  const Bytes batch = batch_of(state.range(0));
  const ByteView records = ByteView(batch).subspan(kBatchHeaderBytes);
  for (auto _ : state) benchmark::DoNotOptimize(check_records(records, kMessages));
  count(state, batch.size());
}
BENCHMARK(walk_records_of)->Arg(16)->Arg(128)->Arg(1024);

void slice_half_of(benchmark::State& state) {
  const Bytes batch = batch_of(state.range(0));
  const BatchHeader header = read_batch_header(batch);
  const ByteView records = ByteView(batch).subspan(kBatchHeaderBytes);
  Bytes out(kBatchHeaderBytes);
  for (auto _ : state) {
    const std::size_t skipped = skip_records(records.data(), kMessages / 2);
    make_slice_header(out.data(), header, records.subspan(skipped), kMessages / 2, kMessages / 2);
    benchmark::DoNotOptimize(out.data());
  }
  count(state, batch.size());
}
BENCHMARK(slice_half_of)->Arg(16)->Arg(128)->Arg(1024);

void decode_publish_of(benchmark::State& state) {
  const Bytes batch = batch_of(state.range(0));
  const Bytes frame = publish_of(batch, 1);
  for (auto _ : state) {
    const auto header = read_header(frame, kMaxBody);
    benchmark::DoNotOptimize(decode<Publish>(**header, ByteView(frame).subspan(kFrameHeaderBytes)));
  }
  count(state, frame.size());
}
BENCHMARK(decode_publish_of)->Arg(128);

void read_frames_of(benchmark::State& state) {
  const Bytes frame = publish_of(batch_of(state.range(0)), 1);
  base::SlabPool pool(256U << 10, 8);
  SlabCursor cursor(pool, 16U << 10);
  FrameReader reader(cursor, kMaxBody);
  std::size_t sent = 0;  // of the frame that is being sent
  std::int64_t frames = 0;
  for (auto _ : state) {
    // One read: as much as there is room for, which cuts a frame wherever it ends.
    base::MutableByteView room = reader.prepare();
    const std::size_t total = room.size();
    while (!room.empty()) {
      const std::size_t bytes = std::min(room.size(), frame.size() - sent);
      std::memcpy(room.data(), frame.data() + sent, bytes);
      sent = (sent + bytes) % frame.size();
      room = room.subspan(bytes);
    }
    reader.commit(total);
    while (auto next = *reader.next()) {
      benchmark::DoNotOptimize(next->body.data());
      ++frames;
    }
    reader.settle();
  }
  state.SetItemsProcessed(frames);
}
BENCHMARK(read_frames_of)->Arg(16)->Arg(128)->Arg(1024);

void build_batch_of(benchmark::State& state) {
  std::size_t bytes = 0;
  for (auto _ : state) {
    const Bytes batch = batch_of(state.range(0));
    bytes = batch.size();
    benchmark::DoNotOptimize(batch.data());
  }
  count(state, bytes);
}
BENCHMARK(build_batch_of)->Arg(16)->Arg(128)->Arg(1024);

}  // namespace
}  // namespace sluice::wire
