// queue_bench.cc: what does one subscription cost per batch that passes through its queue?

#include <benchmark/benchmark.h>
#include <cstring>
#include <vector>

#include "broker/queue/bounded_queue.h"
#include "libs/wire/batch.h"

namespace sluice::queue {
namespace {

model::Slice make_slice(std::uint32_t messages, std::size_t payload_bytes) {
  const std::vector<std::byte> payload(payload_bytes);
  wire::BatchBuilder builder;
  for (std::uint32_t i = 0; i < messages; ++i) builder.add(payload);
  const base::SharedBytes batch = base::SharedBytes::copy_of(builder.finish({}));
  return model::Slice::whole(batch, {}, wire::read_batch_header(batch.view()));
}

Credit ample() { return {.messages = UINT64_MAX / 2, .bytes = INT64_MAX / 2}; }

constexpr Bounds kBounds{.max_messages = 10'000, .max_bytes = 16U << 20, .max_lag = {}};

// The fast path: an empty queue, a batch in, the whole batch out.
void push_next(benchmark::State& state) {
  const model::Slice slice = make_slice(static_cast<std::uint32_t>(state.range(0)), 128);
  BoundedQueue queue(kBounds, parse_ladder("drop_oldest").value());
  Credit credit = ample();
  for (auto _ : state) {
    queue.push(slice, model::PublishToken(1), base::MonotonicTime{});
    benchmark::DoNotOptimize(queue.next(credit, base::MonotonicTime{}));
  }
}
BENCHMARK(push_next)->Arg(1)->Arg(100);

// One batch to each of many queues, as a fan-out does, then out of each.
void fan_out(benchmark::State& state) {
  const model::Slice slice = make_slice(1, 128);
  std::vector<std::unique_ptr<BoundedQueue>> queues;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    queues.push_back(std::make_unique<BoundedQueue>(kBounds, parse_ladder("drop_oldest").value()));
  }
  for (auto _ : state) {
    for (const auto& queue : queues) {
      queue->push(slice, model::PublishToken(1), base::MonotonicTime{});
    }
    for (const auto& queue : queues) {
      Credit credit = ample();
      benchmark::DoNotOptimize(queue->next(credit, base::MonotonicTime{}));
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(fan_out)->Arg(100)->Arg(10'000);

// Overload: the queue is full and its consumer has stopped; every push makes room.
void push_when_full(benchmark::State& state, const char* ladder) {
  const model::Slice slice = make_slice(1, 128);
  BoundedQueue queue(kBounds, parse_ladder(ladder).value());
  for (std::uint32_t i = 0; i < kBounds.max_messages; ++i) {
    queue.push(slice, model::PublishToken(1), base::MonotonicTime{});
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(queue.push(slice, model::PublishToken(1), base::MonotonicTime{}));
  }
}
BENCHMARK_CAPTURE(push_when_full, drop_oldest, "drop_oldest");
BENCHMARK_CAPTURE(push_when_full, drop_newest, "drop_newest");

// A consumer that grants one message at a time out of batches of a hundred.
void next_cut_by_credit(benchmark::State& state) {
  const model::Slice slice = make_slice(100, 128);
  BoundedQueue queue(kBounds, parse_ladder("drop_oldest").value());
  for (auto _ : state) {
    if (queue.empty()) queue.push(slice, model::PublishToken(1), base::MonotonicTime{});
    Credit credit{.messages = 1, .bytes = 1'000'000};
    benchmark::DoNotOptimize(queue.next(credit, base::MonotonicTime{}));
  }
}
BENCHMARK(next_cut_by_credit);

}  // namespace
}  // namespace sluice::queue
