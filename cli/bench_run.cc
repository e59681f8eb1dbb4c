#include "cli/bench_run.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <memory>
#include <thread>
#include <unistd.h>
#include <vector>

namespace sluice::cli {
namespace {

constexpr Duration kQuietMax = std::chrono::seconds(3);
constexpr Duration kLook = std::chrono::milliseconds(5);

std::uint64_t ticks_of(MonotonicTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

/// Sends to one topic, stamping each message with the time at which it was due.
class Load {
 public:
  Load(Runtime& runtime, std::unique_ptr<Client> client, Publisher publisher,
       const BenchOptions& options)
      : runtime_(runtime),
        client_(std::move(client)),
        publisher_(std::move(publisher)),
        options_(options),
        payload_(options.size_bytes, std::byte{'.'}) {}

  void run(MonotonicTime start) {
    const MonotonicTime end = start + options_.duration;
    if (options_.rate == 0) {
      for (MonotonicTime now = start; now < end && send(now); now = runtime_.now()) ++offered_;
    } else {
      run_paced(start, end);
    }
    async::CancelSource limit = runtime_.until(std::chrono::seconds(10));
    Status flushed = runtime_.wait(publisher_.flush(limit.context()));
    if (status_) status_ = std::move(flushed);
    ended_at_ = runtime_.now();
  }

  PublishTotals totals() const { return publisher_.totals(); }
  std::uint64_t offered() const noexcept { return offered_; }
  MonotonicTime ended_at() const noexcept { return ended_at_; }
  const Status& status() const noexcept { return status_; }

 private:
  void run_paced(MonotonicTime start, MonotonicTime end) {
    const double share =
        static_cast<double>(options_.rate) / static_cast<double>(options_.publishers);
    const double between_ns = 1e9 / share;
    for (std::uint64_t i = 0;; ++i) {
      const Duration after(static_cast<Duration::rep>(static_cast<double>(i) * between_ns));
      const MonotonicTime due = start + after;
      if (due >= end) return;
      const Duration early = due - runtime_.now();
      if (early.count() > 0) std::this_thread::sleep_for(early);
      ++offered_;
      if (!send(due)) return;
    }
  }

  bool send(MonotonicTime due) {
    base::store(payload_.data(), ticks_of(due));
    status_ = publisher_.try_publish(payload_);
    if (!status_ && status_.error().code == ErrorCode::kWouldBlock) {
      Outgoing message;
      message.payload = payload_;
      status_ = runtime_.wait(publisher_.publish(runtime_.context(), message));
    }
    return status_.has_value() && !runtime_.interrupt().is_interrupted();
  }

  Runtime& runtime_;
  std::unique_ptr<Client> client_;
  Publisher publisher_;
  const BenchOptions& options_;
  std::vector<std::byte> payload_;
  std::uint64_t offered_ = 0;
  MonotonicTime ended_at_{};
  Status status_;
};

/// Counts what arrives and how long it took.
class Sink {
 public:
  Sink(Runtime& runtime, std::unique_ptr<Client> client, Subscription subscription)
      : runtime_(runtime), client_(std::move(client)), subscription_(std::move(subscription)) {}

  void run(const async::Context& context) {
    for (;;) {
      auto item = subscription_.try_next_batch();
      if (!item && item.error().code == ErrorCode::kWouldBlock) {
        item = runtime_.wait(subscription_.next_batch(context));
      }
      if (!item) return;
      std::visit([this](const auto& what) { take(what); }, *item);
    }
  }

  /// Messages that have arrived or are named by gaps; for any thread.
  std::uint64_t seen() const noexcept { return seen_.load(std::memory_order_relaxed); }

  void add_to(BenchResult& result, MonotonicTime start) const {
    result.delivered += messages_;
    result.delivered_bytes += bytes_;
    result.gaps += gaps_;
    result.missing += missing_;
    result.latency.merge(latency_);
    if (messages_ > 0) result.delivering = std::max(result.delivering, last_at_ - start);
  }

 private:
  void take(const MessageBatch& batch) {
    last_at_ = runtime_.now();
    const std::uint64_t now = ticks_of(last_at_);
    for (const MessageView& message : batch) {
      ++messages_;
      bytes_ += message.payload().size();
      if (message.payload().size() < sizeof now) continue;
      const auto due = base::load<std::uint64_t>(message.payload().data());
      latency_.record(now > due ? now - due : 0);
    }
    publish_seen();
  }

  void take(const Gap& gap) {
    ++gaps_;
    missing_ += gap.count;
    publish_seen();
  }

  void take(const Reconnected&) {}

  void publish_seen() { seen_.store(messages_ + missing_, std::memory_order_relaxed); }

  Runtime& runtime_;
  std::unique_ptr<Client> client_;
  Subscription subscription_;
  std::atomic<std::uint64_t> seen_{0};
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t gaps_ = 0;
  std::uint64_t missing_ = 0;
  MonotonicTime last_at_{};
  Histogram latency_;
};

/// The connections of a benchmark, made before the load begins.
class Bench {
 public:
  Bench(Runtime& runtime, const BenchOptions& options)
      : runtime_(runtime), options_(options), prefix_(fmt::format("bench.{}", getpid())) {}

  Status connect() {
    for (std::uint64_t i = 0; i < options_.subscribers; ++i) {
      if (Status added = add_sink(i); !added) return added;
    }
    for (std::uint64_t i = 0; i < options_.publishers; ++i) {
      if (Status added = add_load(i); !added) return added;
    }
    return {};
  }

  Result<BenchResult> run() {
    async::CancelSource over(async::Context{});
    std::vector<std::thread> sinks;
    for (const auto& sink : sinks_) sinks.emplace_back([&] { sink->run(over.context()); });
    const MonotonicTime start = runtime_.now();
    std::vector<std::thread> loads;
    for (const auto& load : loads_) loads.emplace_back([&load, start] { load->run(start); });
    for (std::thread& load : loads) load.join();
    BenchResult result = published(start);
    wait_for_arrival(result.published.matched - result.published.rejected);
    over.cancel("the benchmark is over");
    for (std::thread& sink : sinks) sink.join();
    for (const auto& sink : sinks_) sink->add_to(result, start);
    for (const auto& load : loads_) {
      const bool stopped = runtime_.interrupt().is_interrupted();
      if (!load->status() && !stopped) return base::fail(load->status().error());
    }
    return result;
  }

 private:
  std::string topic_of(std::uint64_t publisher) const {
    return fmt::format("{}.{}", prefix_, publisher);
  }

  Status add_sink(std::uint64_t number) {
    auto client = runtime_.connect(false);
    if (!client) return base::fail(client.error());
    SubscribeOptions subscribe;
    const bool own = options_.mode == BenchMode::kPairs;
    subscribe.filters = {own ? topic_of(number) : prefix_ + ".*"};
    subscribe.name = fmt::format("bench-{}", number);
    subscribe.overflow = options_.overflow;
    auto subscription =
        runtime_.wait((*client)->subscribe(runtime_.context(), std::move(subscribe)));
    if (!subscription) return base::fail(subscription.error());
    sinks_.push_back(
        std::make_unique<Sink>(runtime_, std::move(*client), std::move(*subscription)));
    return {};
  }

  Status add_load(std::uint64_t number) {
    auto client = runtime_.connect(false);
    if (!client) return base::fail(client.error());
    auto publisher = (*client)->publisher(topic_of(number));
    if (!publisher) return base::fail(publisher.error());
    loads_.push_back(
        std::make_unique<Load>(runtime_, std::move(*client), std::move(*publisher), options_));
    return {};
  }

  BenchResult published(MonotonicTime start) const {
    BenchResult result;
    for (const auto& load : loads_) {
      const PublishTotals totals = load->totals();
      result.published.messages += totals.messages;
      result.published.bytes += totals.bytes;
      result.published.answered += totals.answered;
      result.published.ok += totals.ok;
      result.published.matched += totals.matched;
      result.published.accepted += totals.accepted;
      result.published.dropped += totals.dropped;
      result.published.rejected += totals.rejected;
      result.offered += load->offered();
      result.publishing = std::max(result.publishing, load->ended_at() - start);
    }
    return result;
  }

  // Until every copy has arrived or is named by a gap, or nothing moves any more.
  void wait_for_arrival(std::uint64_t expected) {
    std::uint64_t seen = 0;
    MonotonicTime moved_at = runtime_.now();
    while (!runtime_.interrupt().is_interrupted()) {
      std::uint64_t now_seen = 0;
      for (const auto& sink : sinks_) now_seen += sink->seen();
      if (now_seen >= expected) return;
      if (now_seen != seen) moved_at = runtime_.now();
      seen = now_seen;
      if (runtime_.now() - moved_at > kQuietMax) return;
      runtime_.sleep(kLook);
    }
  }

  Runtime& runtime_;
  const BenchOptions& options_;
  std::string prefix_;
  std::vector<std::unique_ptr<Sink>> sinks_;
  std::vector<std::unique_ptr<Load>> loads_;
};

}  // namespace

Result<BenchResult> run_bench(Runtime& runtime, const BenchOptions& options) {
  Bench bench(runtime, options);
  if (Status connected = bench.connect(); !connected) return base::fail(connected.error());
  return bench.run();
}

}  // namespace sluice::cli
