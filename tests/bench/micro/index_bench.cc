// index_bench.cc: does a match stay as cheap however many subscriptions there are, and what do they
// cost in memory?

#include <benchmark/benchmark.h>
#include <string>

#include "broker/topic/topic_registry.h"

namespace sluice::topic {
namespace {

std::string device(std::int64_t number) {
  return "site." + std::to_string(number % 100) + ".device." + std::to_string(number);
}

void fill(SubscriptionIndex& index, std::int64_t filters) {
  for (std::int64_t i = 0; i < filters; ++i) {
    index.add(device(i), model::SubscriptionSlot(static_cast<std::uint32_t>(i)));
  }
}

// Plain filters of four levels, each with a last level of its own; a wildcard besides.
void match(benchmark::State& state) {
  SubscriptionIndex index;
  const std::int64_t filters = state.range(0);
  fill(index, filters);
  index.add("site.*.device.*", model::SubscriptionSlot(static_cast<std::uint32_t>(filters)));
  std::vector<std::string> topics;
  for (std::int64_t i = 0; i < 1024; ++i) topics.push_back(device(i * 7919 % filters));
  Match found;
  std::size_t at = 0;
  for (auto _ : state) {
    index.match(topics[at++ % topics.size()], found);
    benchmark::DoNotOptimize(found.local.data());
  }
  state.counters["bytes_per_filter"] =
      static_cast<double>(index.memory_bytes()) / static_cast<double>(filters);
}
BENCHMARK(match)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

// A topic that nobody is subscribed to.
void match_nothing(benchmark::State& state) {
  SubscriptionIndex index;
  fill(index, state.range(0));
  Match found;
  for (auto _ : state) {
    index.match("site.7.sensor.12345", found);
    benchmark::DoNotOptimize(found.local.data());
  }
}
BENCHMARK(match_nothing)->Arg(1'000)->Arg(1'000'000);

void add_and_remove(benchmark::State& state) {
  SubscriptionIndex index;
  fill(index, state.range(0));
  const model::SubscriptionSlot slot(static_cast<std::uint32_t>(state.range(0)));
  for (auto _ : state) {
    index.add("site.7.device.new", slot);
    index.remove("site.7.device.new", slot);
  }
}
BENCHMARK(add_and_remove)->Arg(1'000)->Arg(1'000'000);

// What a publish pays while the index does not change: no look-up by name.
void cached_match(benchmark::State& state) {
  SubscriptionIndex index;
  fill(index, 1'000);
  TopicRegistry registry(index, 100);
  const model::TopicRef topic = registry.intern(device(7)).value();
  for (auto _ : state) benchmark::DoNotOptimize(&registry.match(topic));
}
BENCHMARK(cached_match);

// A publish that names its topic.
void intern_known(benchmark::State& state) {
  SubscriptionIndex index;
  const auto topics = static_cast<std::uint32_t>(state.range(0));
  TopicRegistry registry(index, topics);
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < topics; ++i) {
    names.push_back(device(i));
    benchmark::DoNotOptimize(registry.intern(names.back()));
  }
  std::size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(registry.intern(names[at++ % names.size()]));
  state.counters["bytes_per_topic"] = static_cast<double>(registry.memory_bytes()) / topics;
}
BENCHMARK(intern_known)->Arg(1'000)->Arg(100'000);

}  // namespace
}  // namespace sluice::topic
